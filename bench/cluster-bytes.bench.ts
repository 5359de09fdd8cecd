/**
 * What goes between the processes and PostgreSQL: bytes in both directions, of all processes together, for each row that changed and for each
 * take. They are counted in a meter in between; what flows without any load is left out, and shown.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import postgres from 'postgres';
import { bundleOf } from './built.ts';
import type { Load, LoadResult } from './client.ts';
import { names, onStage, portsOf, type Stage, stopAll, through } from './cluster.ts';
import { format, type PartResult, type Row, type Table } from './figures.ts';
import { end, type ServerProcess } from './processes.ts';

export interface ClusterBytesParameters {
  readonly sizes: readonly number[];
  readonly durationMs: number;
  readonly perSecond: number;
}

export const parameters: Record<'small' | 'large', ClusterBytesParameters> = {
  small: { sizes: [2], durationMs: 200, perSecond: 200 },
  large: { sizes: [2, 3, 5, 8], durationMs: 800, perSecond: 400 },
};

/** Until everybody has heard of everything. */
const settleMs = 400;
const connections = 40;

interface Meter {
  readonly port: number;
  readonly bytes: number;
  close(): void;
}

async function startMeter(target: number): Promise<Meter> {
  let bytes = 0;
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    pass(client, upstream);
    pass(upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    get bytes() {
      return bytes;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export const run = (options: ClusterBytesParameters): Promise<PartResult> =>
  onStage(async (stage) => {
    const client = fork(bundleOf('client'));
    const meters = [await startMeter(stage.port), await startMeter(stage.port)] as const;
    const wrong: string[] = [];
    const tables: Table[] = [];
    try {
      for (const size of options.sizes) tables.push(await measureSize({ stage, client, meters, options, wrong }, size));
    } finally {
      for (const meter of meters) meter.close();
      await end(client);
    }
    return { part: 'cluster-bytes', tables, notes: notesOf(options), wrong };
  });

interface Bench {
  readonly stage: Stage;
  readonly client: ChildProcess;
  /** Of ours, and of the alternative. */
  readonly meters: readonly [Meter, Meter];
  readonly options: ClusterBytesParameters;
  readonly wrong: string[];
}

interface Side {
  readonly name: string;
  readonly meter: Meter;
  readonly servers: readonly ServerProcess[];
  /** How many rows have ever changed; null: one for each request. */
  readonly changed: (() => Promise<number>) | null;
}

async function measureSize(bench: Bench, size: number): Promise<Table> {
  const { stage, meters } = bench;
  const url = await stage.database(`replicas_${size}`);
  const replicas = await stage.replicas(size, through(url, meters[0].port));
  const askers = await stage.askers(size, through(await stage.database(`askers_${size}`), meters[1].port));
  const sql = postgres(url, { max: 1, fetch_types: false });
  // Each row that is published draws a number.
  const changed = async (): Promise<number> => Number((await sql`select last_value from cffbrw.places`)[0]?.last_value);
  const ours: Side = { name: `${size} × ${names.ours}`, meter: meters[0], servers: replicas, changed };
  const theirs: Side = { name: `${size} × ${names.theirs}`, meter: meters[1], servers: askers, changed: null };
  const rows: Row[] = [];
  for (const [path, what] of [
    ['/sign', 'a changed row'],
    ['/spin', 'a take'],
  ] as const) {
    const base = await rowOf(bench, theirs, path, what);
    const mine = await rowOf(bench, ours, path, what);
    rows.push(base, { ...mine, ratios: [{ to: base.name, times: base.figure / mine.figure }] });
  }
  await sql.end();
  await stopAll([...replicas, ...askers]);
  return { title: `Bytes to and from PostgreSQL, ${size} processes`, rows };
}

async function rowOf(bench: Bench, side: Side, path: string, what: string): Promise<Row> {
  const { durationMs, perSecond } = bench.options;
  await load(bench, side, path); // statements are prepared, leases are there
  await pause(settleMs);
  const idle = await bytesIn(side, () => pause(durationMs));
  const idlePerMs = idle.bytes / idle.tookMs;
  const before = (await side.changed?.()) ?? 0;
  let answered = 0;
  const { bytes, tookMs } = await bytesIn(side, async () => {
    answered = await load(bench, side, path);
    await pause(settleMs);
  });
  const rows = side.changed === null ? answered : (await side.changed()) - before;
  const own = bytes - idlePerMs * tookMs;
  const perWhat = path === '/sign' ? rows : answered;
  const changes = side.changed === null || path === '/sign' ? '' : `, ${rows} changed rows for ${answered} takes`;
  return {
    ...{ name: `${what}, ${side.name}`, unit: 'bytes', figure: own / perWhat, ratios: [], targets: [] },
    note: `at ${perSecond} requests/s${changes}; idle ${format(idlePerMs * 1000, 'bytes')} a second`,
  };
}

async function bytesIn({ meter }: Side, work: () => Promise<void>): Promise<{ readonly bytes: number; readonly tookMs: number }> {
  const before = meter.bytes;
  const start = performance.now();
  await work();
  return { bytes: meter.bytes - before, tookMs: performance.now() - start };
}

async function load({ client, options, wrong }: Bench, { servers }: Side, path: string): Promise<number> {
  const { durationMs, perSecond } = options;
  client.send({ ports: portsOf(servers), path, durationMs, perSecond, connections, won: true } satisfies Load);
  const [result] = (await once(client, 'message')) as [LoadResult];
  if (result.wrong !== null) wrong.push(`${path} was answered: ${result.wrong.slice(0, 500)}`);
  return result.answered;
}

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

const notesOf = ({ perSecond }: ClusterBytesParameters): string[] => [
  `Bytes in both directions, of all processes together, less what flows without load; ${perSecond} requests/s from one client, spread over all processes.`,
  'A changed row goes to PostgreSQL once and from it to every replica; many takes between two flushes are one changed row.',
];
