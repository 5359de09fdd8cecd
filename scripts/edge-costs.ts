/**
 * `npm run edge:costs`: what requests cost on Cloudflare, counted in workerd on this machine: requests to objects, rows read and written, alarms,
 * and what a million of them would be billed, beside two designs that are known from elsewhere. `--json` prints the data.
 *
 * Durations are not counted: a machine with one disk and two cores says nothing about those.
 */
import { join } from 'node:path';
import { type Edge, openEdge } from '../test/cloudflare/stage.ts';

/** US dollars per million, Workers Paid, without what is included: developers.cloudflare.com, as read in November 2026. */
const prices = { workerRequests: 0.3, objectRequests: 0.15, rowsRead: 0.001, rowsWritten: 1, kvReads: 0.5, kvWrites: 5 };
const pricesOf = 'November 2026';
const regions = ['weur', 'enam', 'apac'];

interface Counts {
  readonly objectRequests: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly alarms: number;
}

interface Measured {
  readonly what: string;
  readonly count: number;
  readonly perSecond: number;
  /** Of one. */
  readonly each: Counts;
  readonly dollarsPerMillion: number;
}

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: costs
variables:
  views: { strategy: sum-increments }
  stock: { strategy: bounded-counter, initial: 1000000 }
`,
  'workflows/count.yaml': 'cffbrw: 1\nworkflow: count\non: { http: { method: POST, path: /count } }\nsteps:\n  - add: views\n',
  'workflows/take.yaml': `cffbrw: 1
workflow: take
on: { http: { method: POST, path: /take } }
steps:
  - take: stock
    as: taken
  - respond: { body: { ok: "\${ taken.ok }" } }
`,
  'workflows/read.yaml': `cffbrw: 1
workflow: read
on: { http: { method: GET, path: /count } }
steps:
  - respond: { body: { views: "\${ vars.views }" } }
`,
};

async function countsOf(edge: Edge): Promise<Counts> {
  const { hub, regions: all } = await edge.usage();
  const objects = [hub, ...Object.values(all)];
  const sum = (of: (usage: (typeof objects)[number]) => number) => objects.reduce((total, usage) => total + of(usage), 0);
  return {
    objectRequests: sum(({ requests }) => requests),
    rowsRead: sum(({ rowsRead }) => rowsRead),
    rowsWritten: sum(({ rowsWritten, alarmsSet }) => rowsWritten + alarmsSet),
    alarms: sum(({ alarms }) => alarms),
  };
}

interface Load {
  readonly what: string;
  readonly edge: Edge;
  readonly count: number;
  readonly atOnce: number;
  readonly request: (index: number) => Parameters<Edge['ask']>[0];
}

async function measure({ what, edge, count, atOnce, request }: Load): Promise<Measured> {
  const before = await countsOf(edge);
  const start = performance.now();
  let next = 0;
  const user = async () => {
    while (next < count) {
      const index = next++;
      await edge.ask(request(index), regions[index % regions.length]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, user));
  const seconds = (performance.now() - start) / 1_000;
  // What is still on its way to the other regions belongs to it.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const after = await countsOf(edge);
  const each = Object.fromEntries(
    (Object.keys(after) as (keyof Counts)[]).map((name) => [name, (after[name] - before[name]) / count]),
  ) as unknown as Counts;
  return { what, count, perSecond: Math.round(count / seconds), each, dollarsPerMillion: dollars(each) };
}

const dollars = ({ objectRequests, rowsRead, rowsWritten, alarms }: Counts): number =>
  prices.workerRequests +
  prices.objectRequests * (objectRequests + alarms) +
  prices.rowsRead * rowsRead +
  prices.rowsWritten * rowsWritten;

/** One object for the world writes each spin through; a key in KV is read and written by each, and loses most of them. */
const others: readonly { readonly what: string; readonly dollarsPerMillion: number }[] = [
  {
    what: 'one global object, a row per spin',
    dollarsPerMillion: prices.workerRequests + prices.objectRequests + prices.rowsWritten,
  },
  { what: 'KV, read and write (loses updates)', dollarsPerMillion: prices.workerRequests + prices.kvReads + prices.kvWrites },
];

async function measureAll(): Promise<Measured[]> {
  const plain = await openEdge({ app: documents, regions });
  const wheel = await openEdge({ app: join(import.meta.dirname, '../examples/wheel'), regions });
  const post = (path: string) => () => ({ method: 'POST', path });
  const spin = (index: number) => ({ method: 'POST', path: '/wheel/spin', body: { user: `user-${index}` } });
  try {
    for (const region of regions) {
      await plain.ask({ path: '/count' }, region);
      await wheel.ask({ method: 'POST', path: '/wheel/spin', body: { user: 'first' } }, region);
    }
    return [
      await measure({ what: 'a read', edge: plain, count: 1_000, atOnce: 50, request: () => ({ path: '/count' }) }),
      await measure({ what: 'a count, one at a time', edge: plain, count: 500, atOnce: 1, request: post('/count') }),
      await measure({ what: 'a count, 50 at once', edge: plain, count: 2_000, atOnce: 50, request: post('/count') }),
      await measure({ what: 'a take, one at a time', edge: plain, count: 500, atOnce: 1, request: post('/take') }),
      await measure({ what: 'a take, 50 at once', edge: plain, count: 2_000, atOnce: 50, request: post('/take') }),
      await measure({ what: 'a spin, one at a time', edge: wheel, count: 500, atOnce: 1, request: spin }),
      await measure({ what: 'a spin, 50 at once', edge: wheel, count: 2_000, atOnce: 50, request: spin }),
    ];
  } finally {
    await Promise.all([plain.close(), wheel.close()]);
  }
}

function print(measured: readonly Measured[]): void {
  const lines = measured.map(({ what, perSecond, each, dollarsPerMillion }) =>
    [
      what,
      perSecond,
      each.objectRequests.toFixed(2),
      each.rowsRead.toFixed(2),
      each.rowsWritten.toFixed(3),
      each.alarms.toFixed(4),
      dollarsPerMillion.toFixed(2),
    ].join(' | '),
  );
  console.log('| three regions | per second | object requests | rows read | rows written | alarms | $ per million |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const line of lines) console.log(`| ${line} |`);
  for (const { what, dollarsPerMillion } of others) console.log(`| ${what} | | | | | | ${dollarsPerMillion.toFixed(2)} |`);
  console.log(
    `\nWithout CPU and duration, at prices of ${pricesOf}. Regions tell the hub once a second, so that a slow load pays more for each.`,
  );
}

const measured = await measureAll();
if (process.argv.includes('--json')) console.log(JSON.stringify({ pricesOf, prices, measured, others }, null, 2));
else print(measured);
