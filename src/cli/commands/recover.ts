import { nodeHost } from '../../node/host.ts';
import { openSqliteStore } from '../../node/store.ts';
import { planRecovery, type RecoveryPlan, recover as recoverStore } from '../../replica/index.ts';
import { command, UsageError } from '../command.ts';
import { checkData, dataOf } from '../data.ts';

export const recover = command({
  name: 'recover',
  description: [
    'Lifts a freeze: a data directory that may be an older copy does not hand out units of a bounded-counter until an operator decides.',
    'Without an option it prints what is at stake and changes nothing. Stop the app first.',
  ].join(' '),
  examples: ['cffbrw recover', 'cffbrw recover --write-off', 'cffbrw recover --trust-store --data /var/lib/wheel'],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    data: { type: 'string', description: 'Where the data is kept; default <dir>/data', valueHint: 'directory' },
    'write-off': { type: 'boolean', description: 'Give up everything that may have been sold after this copy was made (safe)' },
    'trust-store': {
      type: 'boolean',
      description: 'This is the newest data there is (a moved disk, a lost witness): give up nothing',
    },
    alone: { type: 'boolean', description: 'With --write-off: go on without the backbone that this data belongs to' },
  },
  async run(args) {
    const [writeOff, trustStore] = [args['write-off'] === true, args['trust-store'] === true];
    if (writeOff && trustStore) throw new UsageError('Choose one: --write-off gives up, --trust-store gives up nothing.');
    if (args.alone === true && !writeOff) throw new UsageError('--alone goes with --write-off.');
    const directory = dataOf(args.data, args.dir);
    checkData(directory, args.dir);
    const { store, witness } = await openSqliteStore({ directory });
    try {
      if (!writeOff && !trustStore) {
        printPlan(await planRecovery(store));
        return 0;
      }
      const plan = await recoverStore({ host: nodeHost, store, witness, trustStore, alone: args.alone === true });
      console.log(trustStore ? 'Nothing was given up.' : `${plan.worstCase} unit(s) were written off.`);
      console.log('Start the app: takes go on. New units come with mint, or with the next window.');
      return 0;
    } finally {
      await store.close();
    }
  },
});

function printPlan(plan: RecoveryPlan): void {
  const locked = plan.old.filter(({ state, witness }) => state === 'locked' && witness !== null);
  if (plan.frozen === null && locked.length === 0) {
    console.log(
      `${plan.id}: not frozen. There is nothing to decide, unless it is to go on without its backbone: --write-off --alone.`,
    );
    return;
  }
  if (plan.frozen !== null) console.log(`${plan.id}: ${plan.frozen.message}. ${plan.frozen.fix}`);
  for (const { id, witness } of locked) console.log(`What ${id} held is locked, because ${witness}.`);
  for (const { address, free, held } of plan.stakes) console.log(`  ${address}  free ${free}, held ${held}`);
  console.log(`At most ${plan.worstCase} unit(s) may have been sold after this copy was made. Nothing was changed. Choose:`);
  console.log('  --write-off    give them up: nothing is sold twice');
  console.log('  --trust-store  keep them: you know that this is the newest data');
}
