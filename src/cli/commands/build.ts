import { join } from 'node:path';
import { loadApp } from '../../app.ts';
import { buildApp } from '../../built/build.ts';
import { builtModule } from '../../built/module.ts';
import { readDocuments } from '../../node/directory.ts';
import { admit } from '../admission.ts';
import { command } from '../command.ts';
import { writeWhole } from '../write-whole.ts';

export const build = command({
  name: 'build',
  description: [
    'Compiles an app into one file, from which a Cloudflare Worker runs it without parsing anything.',
    'A finding of check that blocks stops it. The same documents give the same bytes.',
  ].join(' '),
  examples: ['cffbrw build', 'cffbrw build examples/wheel', 'cffbrw build . --out app.json'],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    out: {
      type: 'string',
      description: 'The file to write; default <dir>/app.js, a module. A name in .json: the plan alone',
      valueHint: 'file',
    },
    'allow-races': { type: 'boolean', description: 'Build although check finds what blocks' },
  },
  async run({ dir, out, 'allow-races': allowRaces = false }) {
    const app = loadApp(await readDocuments(dir));
    const log = ({ level, message }: { readonly level: string; readonly message: string }) =>
      console.error(`${level}: ${message}`);
    await admit(app, { directory: dir, allowRaces, log, step: 'built' });
    const file = out ?? join(dir, 'app.js');
    const built = buildApp(app);
    const text = file.endsWith('.json') ? `${JSON.stringify(built)}\n` : builtModule(built);
    await writeWhole(file, text);
    const workflows = app.workflows.size === 1 ? '1 workflow' : `${app.workflows.size} workflows`;
    const kilobytes = (Buffer.byteLength(text) / 1000).toFixed(1);
    console.log(`${file}: ${app.name}, ${workflows}, ${kilobytes} kB`);
    return 0;
  },
});
