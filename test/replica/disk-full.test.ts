/**
 * A disk that is full from any instant on: whoever is told that nothing was done and to come later (`retry: later`) finds, once there is room
 * again, that nothing was done. Others write all the time, so that commits follow one another without a pause.
 */
import { describe, expect, test } from 'vitest';
import { CffbrwError, errorCodes } from '../../src/error.ts';
import type { Replica } from '../../src/replica/index.ts';
import { createWorld } from '../simulate/world.ts';
import { createCluster } from './cluster.ts';

const initial = 10;
const variables = {
  stock: { strategy: 'bounded-counter', initial },
  count: { strategy: 'sum-increments' },
} as const;

async function open(backbone: boolean, idle: boolean) {
  const world = createWorld('disk full');
  const cluster = createCluster({ world, variables, loopback: backbone ? { rttMs: 3, lagMs: 2 } : null });
  const replica = await world.runUntil(cluster.start('here', { contactMs: 100 }));
  const { faults } = cluster.machine('here').disk;
  faults.syncMs = 2;
  faults.readMs = 0;
  const stock = replica.variable('stock');
  const before = await world.runUntil(stock.take());
  await world.run(idle ? 6_000 : 50);
  const write = async () => {
    await replica.load([replica.address('count')]);
    const slot = replica.peek(replica.address('count'));
    if (slot !== undefined) replica.update(slot, { operation: 'add', amount: 1 } as never);
  };
  let busy = true;
  const keepWriting = () => {
    write().catch(() => {});
    if (busy) world.host('writer').after(0.3, keepWriting);
  };
  keepWriting();
  await world.run(10);
  /** There is room again, also for a process that starts anew. */
  const heal = async (restarts: boolean): Promise<Replica> => {
    faults.full = false;
    busy = false;
    if (restarts) cluster.kill('here');
    const healed = restarts ? await world.runUntil(cluster.start('here', { contactMs: 100 })) : replica;
    await world.run(500);
    await world.runUntil(healed.load([healed.address('stock')]));
    return healed;
  };
  return { world, stock, before: before.receipt ?? '', faults, heal };
}
type Scene = Awaited<ReturnType<typeof open>>;

/** What somebody was told: the value, or what may be done next. */
type Told<T> = { readonly value: T } | { readonly retry: 'no' | 'later' | 'same-key' };

const told = <T>(work: Promise<T>): Promise<Told<T>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => {
      if (!(error instanceof CffbrwError)) throw error;
      return { retry: errorCodes[error.code].retry };
    },
  );

type Row = Readonly<Record<'taken' | 'given' | 'minted' | 'burned', number>>;

function total(replica: Replica, part: (row: Row) => number): number {
  const slot = replica.peek(replica.address('stock'));
  if (slot === undefined) throw new Error('the stock is not in memory');
  return [...replica.rows(slot).values()].reduce((sum, { row }) => sum + part(row as unknown as Row), 0);
}
const out = (replica: Replica) => total(replica, ({ taken, given }) => taken - given);

interface Asked<T> {
  /** It wants what idle replicas give back to the bank. */
  readonly idle?: true;
  readonly ask: (scene: Scene) => Promise<T>;
  /** Whether it was done, as is seen in the end. */
  readonly isDone: (healed: Replica, scene: Scene) => boolean | Promise<boolean>;
}

const repeats = async (replica: Replica, { world }: Scene): Promise<boolean> =>
  (await world.runUntil(replica.variable('stock').take(1, { once: 'ann' }))).repeated;

const asked: Readonly<Record<string, Asked<unknown>>> = {
  'a take': { ask: ({ stock }) => stock.take(), isDone: (replica) => out(replica) === 2 },
  'a hold': { ask: ({ stock }) => stock.take(1, { holdMs: 60_000 }), isDone: (replica) => out(replica) === 2 },
  once: {
    ask: ({ stock }) => stock.take(1, { once: 'ann' }),
    isDone: repeats,
  },
  strong: { idle: true, ask: ({ stock }) => stock.take(1, { strong: true }), isDone: (replica) => out(replica) === 2 },
  'once and strong': {
    idle: true,
    ask: ({ stock }) => stock.take(1, { once: 'ann', strong: true }),
    isDone: repeats,
  },
  give: { ask: ({ stock, before }) => stock.give(before), isDone: (replica) => out(replica) === 0 },
  confirm: {
    ask: ({ stock, before }) => stock.confirm(before),
    isDone: async (replica, { world, before }) => (await world.runUntil(replica.give(before))).reason === 'confirmed',
  },
  mint: { ask: ({ stock }) => stock.mint(1), isDone: (replica) => total(replica, ({ minted }) => minted) === 1 },
  burn: { ask: ({ stock }) => stock.burn(1), isDone: (replica) => total(replica, ({ burned }) => burned) === 1 },
};

describe.each([
  ['with a backbone', true],
  ['without one', false],
])('%s', (_, backbone) => {
  // Without a backbone a strong take is a take like any other.
  test.each(
    Object.keys(asked).filter((name) => backbone || asked[name]?.idle === undefined),
  )('%s that is told "later" was not done, and what was acknowledged was', async (name) => {
    const { ask, isDone, idle = false } = asked[name] as Asked<unknown>;
    const counts = { later: 0, answered: 0, unknown: 0 };
    let restarts = false;
    for (let fullAfterMs = 0; fullAfterMs <= (backbone ? 28 : 12); fullAfterMs += backbone ? 1.1 : 0.6) {
      const scene = await open(backbone, idle);
      const answer = told(ask(scene));
      await scene.world.run(fullAfterMs);
      scene.faults.full = true;
      const answered = await scene.world.runUntil(answer);
      const healed = await scene.heal(restarts);
      restarts = !restarts;
      const done = await isDone(healed, scene);
      const at = `full after ${fullAfterMs} ms: told ${JSON.stringify(answered)}`;
      if ('value' in answered) {
        counts.answered += 1;
        expect([at, done]).toEqual([at, (answered.value as { ok?: boolean } | undefined)?.ok ?? true]);
      } else if (answered.retry === 'same-key') counts.unknown += 1;
      else {
        counts.later += 1;
        expect([at, done]).toEqual([at, false]);
      }
    }
    expect(counts.later).toBeGreaterThan(0);
    expect(counts.answered).toBeGreaterThan(0);
  });
});

test('what somebody else decided about a receipt is not told before it is durable here', async () => {
  const world = createWorld('decided elsewhere');
  const cluster = createCluster({ world, variables, loopback: { rttMs: 3, lagMs: 2 } });
  const [here, there] = await world.runUntil(Promise.all([cluster.start('here'), cluster.start('there')]));
  const { receipt } = await world.runUntil(here.variable('stock').take());
  await world.runUntil(there.give(receipt ?? ''));
  cluster.machine('here').disk.faults.full = true;
  expect(await world.runUntil(told(here.confirm(receipt ?? '')))).toEqual({ retry: 'later' });
  cluster.machine('here').disk.faults.full = false;
  expect(await world.runUntil(told(here.confirm(receipt ?? '')))).toMatchObject({ value: { ok: false, reason: 'given' } });
});
