/** `cffbrw backbone`: what an operator does about the database through which replicas meet. */
import { type CommandDef, defineCommand } from 'citty';
import { openLocation } from '../../node/replica.ts';
import { command, UsageError } from '../command.ts';
import { checkData, dataOf } from '../data.ts';
import { readApp } from '../running.ts';
import { nameArgument, siteArguments, siteOf, withBackbone } from '../site.ts';

const sql = command({
  name: 'backbone sql',
  description:
    'Prints what makes the tables, for a database in which the app’s own role may not. Made once, it is found by every replica.',
  examples: ['cffbrw backbone sql | psql wheel', 'cffbrw backbone sql --schema cffbrw --grant wheel | psql wheel'],
  args: {
    schema: { type: 'string', default: 'cffbrw', description: 'The schema; in the URL: ?schema=', valueHint: 'name' },
    grant: { type: 'string', description: 'The role that the app connects as', valueHint: 'role' },
  },
  async run({ schema, grant }) {
    const { grantSql, schemaSql } = await import('../../node/backbone-schema.ts');
    const { schemaOf } = await import('../../node/backbone-url.ts');
    const tables = schemaSql(schemaOf(schema));
    console.log(`begin;\n${tables}${grant === undefined ? '' : grantSql(schema, grant)}\ncommit;`);
    return 0;
  },
});

const adopt = command({
  name: 'backbone adopt',
  description: [
    'Joins the backbone that answers, although it is not the one that this data directory knows: it was restored, or replaced.',
    'Stop the app first, and do it for each replica; or ask a running one by the admin API.',
    'Rights that replicas hold stay theirs. Bounded counters lease again when all have adopted it, or were retired.',
  ].join(' '),
  examples: ['cffbrw backbone adopt --name fra --backbone postgres://wheel@db.example/wheel --data /var/lib/wheel'],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    data: { type: 'string', description: 'Where the data is kept; default <dir>/data', valueHint: 'directory' },
    name: nameArgument,
    ...siteArguments,
  },
  async run({ dir, data, ...args }) {
    const site = siteOf(args);
    if (site === null) throw new UsageError('Name the backbone: --backbone postgres://server/database, or CFFBRW_BACKBONE.');
    const { variables } = await readApp(dir);
    const directory = dataOf(data, dir);
    checkData(directory, dir);
    // What can't be joined is said before anything here is changed.
    await withBackbone(args, ({ backbone }) => backbone.identity());
    const { replica, backbone } = await openLocation({ ...site, variables, directory, adopt: true });
    try {
      const identity = await backbone?.identity();
      const { frozen } = replica.status;
      if (frozen === null) console.log(`${replica.id} has joined the backbone ${identity}.`);
      else console.error(`${replica.id}: ${frozen}`);
      return frozen === null ? 0 : 1;
    } finally {
      await replica.close();
    }
  },
});

export const backbone: CommandDef = defineCommand({
  meta: { name: 'backbone', description: 'The database through which replicas meet: sql, adopt.' },
  subCommands: { sql, adopt },
});
