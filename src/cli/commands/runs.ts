import type { Json } from '../../strategy/json.ts';
import { command, wholeNumber } from '../command.ts';
import { createAsk } from './vars-source.ts';

interface RunLine {
  readonly id: string;
  readonly workflow: string;
  readonly startedMs: number;
  readonly tookMs: number;
  readonly status: number;
  readonly code: string | null;
}

interface Step {
  readonly at: string;
  readonly verb: string;
  readonly tookMs: number;
  readonly skipped: boolean;
  readonly reads: readonly { readonly text: string }[];
  readonly writes: readonly { readonly text: string }[];
  readonly error: string | null;
}

export const runs = command({
  name: 'runs',
  description: 'The last runs of an app that runs, newest first; or one of them, step by step.',
  examples: ['cffbrw runs', 'cffbrw runs --failed --workflow spin', 'cffbrw runs <id>', 'cffbrw runs --json --limit 200'],
  args: {
    id: { type: 'positional', required: false, description: 'The id of a run: of the list, a log line, or a problem’s instance' },
    workflow: { type: 'string', description: 'Only those of this workflow', valueHint: 'name' },
    failed: { type: 'boolean', description: 'Only those that answered 400 or more' },
    limit: { type: 'string', default: '20', description: 'At most so many', valueHint: 'number' },
    url: {
      type: 'string',
      default: 'http://127.0.0.1:3000',
      description: 'Where the app answers; its token is in CFFBRW_TOKEN',
      valueHint: 'address',
    },
    json: { type: 'boolean', description: 'Print JSON' },
  },
  async run(args) {
    const ask = createAsk({ url: args.url, token: process.env.CFFBRW_TOKEN });
    if (args.id !== undefined) {
      const run = (await ask(`/runs/${encodeURIComponent(args.id)}`)) as RunLine & { readonly trace: readonly Step[] };
      if (args.json) console.log(JSON.stringify(run));
      else printRun(run);
      return 0;
    }
    const limit = wholeNumber(args.limit, 'limit', { from: 1, to: 200 });
    const query = { workflow: args.workflow, limit, ...(args.failed === true && { failed: true }) };
    const { runs: found } = (await ask('/runs', query)) as { readonly runs: readonly RunLine[] };
    if (args.json) console.log(JSON.stringify(found satisfies readonly object[] as unknown as Json));
    else for (const run of found) console.log(lineOf(run));
    return 0;
  },
});

const lineOf = ({ id, workflow, startedMs, tookMs, status, code }: RunLine): string =>
  [new Date(startedMs).toISOString(), String(status), `${tookMs.toFixed(1).padStart(8)} ms`, workflow, code ?? '', id]
    .filter((part) => part !== '')
    .join('  ');

function printRun({ trace, ...run }: RunLine & { readonly trace: readonly Step[] }): void {
  console.log(lineOf(run));
  for (const { at, verb, tookMs, skipped, reads, writes, error } of trace) {
    const touched = [...reads.map(({ text }) => `reads ${text}`), ...writes.map(({ text }) => `writes ${text}`)].join(', ');
    const what = skipped ? 'left out' : `${tookMs.toFixed(1)} ms${touched === '' ? '' : `  ${touched}`}`;
    console.log(`  ${at.padEnd(16)} ${verb.padEnd(8)} ${what}${error === null ? '' : `  ${error}`}`);
  }
}
