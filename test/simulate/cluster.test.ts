import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Answer, type Cluster, createCluster } from '../../src/simulate/cluster.ts';
import type { World } from '../../src/simulate/index.ts';
import { createObserver, differenceOf } from '../../src/simulate/observer.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { createWorld } from './world.ts';

const http = (method: string, path: string) => ({ http: { method, path } });
const app = createApp([
  {
    cffbrw: 1,
    app: 'ledger',
    variables: { stock: { strategy: 'bounded-counter', initial: 6 }, count: { strategy: 'sum-increments' } },
  },
  { cffbrw: 1, workflow: 'add', on: http('POST', '/add'), steps: [{ add: 'count' }] },
  { cffbrw: 1, workflow: 'read', on: http('GET', '/count'), steps: [{ return: '${ vars.count }' }] },
  {
    cffbrw: 1,
    workflow: 'take',
    on: http('POST', '/take'),
    steps: [
      { take: 'stock', as: 'taken', timeout: '200ms' },
      { respond: { body: { ok: '${ taken.ok }', reason: '${ taken.reason }' } } },
    ],
  },
  { cffbrw: 1, workflow: 'wait', on: http('POST', '/wait'), steps: [{ wait: '5s' }, { add: 'count' }] },
]);

interface Stage {
  readonly world: World;
  readonly cluster: Cluster;
  now(machine: string, path: string, method?: string): Promise<Answer>;
  taken(...machines: string[]): Promise<number>;
}

async function open(...names: string[]): Promise<Stage> {
  const world = createWorld(1);
  const cluster = createCluster({ world, app, network: { rttMs: 20 }, lag: { medianMs: 100, p99Ms: 100 } });
  for (const name of names) await world.runUntil(cluster.start(name));
  await world.run(2_000);
  const now: Stage['now'] = (machine, path, method = 'POST') => world.runUntil(cluster.ask(machine, { method, path }));
  const taken = async (...machines: string[]) => {
    let count = 0;
    for (let round = 0; round < 8; round += 1) {
      for (const machine of machines) count += Number(isOk(await now(machine, '/take')));
      await world.run(1_000);
    }
    return count;
  };
  return { world, cluster, now, taken };
}

const isOk = ({ body }: Answer) => (body as { ok?: boolean } | null)?.ok === true;

describe('a cluster', () => {
  test('answers at every machine, and comes to hold the same', async () => {
    const { world, cluster, now } = await open('a', 'b', 'c');
    expect((await now('a', '/add')).status).toBe(204);
    expect(cluster.difference()).toMatch(/lacks the row|is v/);
    await world.run(3_000);
    expect(cluster.difference()).toBe(null);
    expect((await now('c', '/count', 'GET')).body).toBe(1);
  });

  test('tells by status 0 that nobody answered: never started, dead, or dying meanwhile', async () => {
    const { world, cluster, now } = await open('a');
    expect((await now('nowhere', '/count', 'GET')).status).toBe(0);
    const asked = cluster.ask('a', { method: 'POST', path: '/wait' });
    await world.run(1_000);
    cluster.crash('a');
    expect((await world.runUntil(asked)).status).toBe(0);
    expect((await now('a', '/count', 'GET')).status).toBe(0);
    await world.runUntil(cluster.start('a'));
    expect(await now('a', '/count', 'GET')).toMatchObject({ status: 200, body: 0 });
  });

  test('dies at the await that it was told, and keeps what it acknowledged', async () => {
    for (const when of ['before', 'during', 'after'] as const) {
      for (let number = 1; number <= 12; number += 1) {
        const { world, cluster, now } = await open('a', 'b');
        cluster.machines.get('a')?.process?.killAt({ await: number, when });
        const { status } = await now('a', '/add');
        await world.run(2_000);
        await world.runUntil(cluster.start('a'));
        await world.run(2_000);
        const { body } = await now('a', '/count', 'GET');
        expect(body, `${when} ${number}`).toBeGreaterThanOrEqual(status === 204 ? 1 : 0);
        expect(cluster.difference()).toBe(null);
      }
    }
  });

  test('reads a request after the pause, and answers it then', async () => {
    const { world, cluster } = await open('a');
    cluster.pause('a');
    const asked = cluster.ask('a', { method: 'POST', path: '/add' });
    let answered = false;
    void asked.then(() => {
      answered = true;
    });
    await world.run(10_000);
    expect(answered).toBe(false);
    cluster.resume('a');
    expect((await world.runUntil(asked)).status).toBe(204);
  });

  test('sells on one side of a cut what that side holds, and all of it together never more than there is', async () => {
    const { cluster, taken, now } = await open('a', 'b');
    expect(isOk(await now('a', '/take'))).toBe(true);
    cluster.cut('a');
    const apart = await taken('a', 'b');
    cluster.heal();
    const together = await taken('a', 'b');
    expect(1 + apart + together).toBe(6);
    expect(cluster.observer.oversold).toBe(null);
  });

  test.each([
    [
      'a second start of the same disk',
      async ({ cluster, world }: Stage) => {
        await world.runUntil(cluster.twin('a'));
        return ['a', 'a-twin', 'b'];
      },
    ],
    [
      'a restored backup',
      async ({ cluster, world, taken }: Stage) => {
        const backup = cluster.backup('a');
        const sold = await taken('a');
        expect(sold).toBeGreaterThan(0);
        cluster.restore('a', backup);
        await world.runUntil(cluster.start('a'));
        return ['a', 'b'];
      },
    ],
    [
      'a replica that was retired and comes back',
      async ({ cluster, world, now }: Stage) => {
        await now('a', '/take');
        cluster.crash('a');
        await world.runUntil(cluster.retire('a', 'b'));
        await world.runUntil(cluster.start('a'));
        return ['a', 'b'];
      },
    ],
  ])('never sells more than there is: %s', async (_, happens) => {
    const stage = await open('a', 'b');
    await stage.taken(...(await happens(stage)));
    expect(stage.cluster.observer.oversold).toBe(null);
    expect(soldIn(stage)).toBeLessThanOrEqual(6);
  });

  test('a clean stop hands rights back', async () => {
    const { cluster, world, now, taken } = await open('a', 'b');
    expect(isOk(await now('a', '/take'))).toBe(true);
    await world.runUntil(cluster.stop('a'));
    expect((await now('a', '/take')).status).toBe(0);
    expect(await taken('b')).toBe(5);
  });

  test('a power cut takes what was not synced, where a disk lies', async () => {
    const { cluster, world, now } = await open('a');
    await now('a', '/add');
    Object.assign(cluster.machines.get('a')?.disk.faults ?? {}, { syncs: false });
    expect((await now('a', '/add')).status).toBe(204);
    cluster.crash('a', { power: true });
    Object.assign(cluster.machines.get('a')?.disk.faults ?? {}, { syncs: true });
    cluster.cut('a');
    await world.runUntil(cluster.start('a'));
    expect((await now('a', '/count', 'GET')).body).toBe(1);
  });

  test('who joins later learns everything', async () => {
    const { cluster, world, now } = await open('a');
    for (let index = 0; index < 3; index += 1) await now('a', '/add');
    await world.runUntil(cluster.start('late'));
    await world.run(2_000);
    expect((await now('late', '/count', 'GET')).body).toBe(3);
  });
});

/** What all rows together say, whoever wrote them. */
function soldIn({ cluster }: Stage): number {
  const best = new Map<string, { version: number; sold: number }>();
  for (const { disk } of cluster.machines.values()) {
    for (const { address, replica, version, bytes } of [...disk.rows().values()].flatMap((rows) => [...rows.values()])) {
      if (!address.startsWith('stock:') || version < (best.get(replica)?.version ?? 0)) continue;
      const { taken, given } = JSON.parse(bytes) as { taken: number; given: number };
      best.set(replica, { version, sold: taken - given });
    }
  }
  return [...best.values()].reduce((sum, { sold }) => sum + sold, 0);
}

describe('what is seen from outside', () => {
  const bounded = { leased: 0, returned: 0, given: 0, wants: 0, strong: 0, minted: 0, burned: 0, initial: 6 };
  const row = (replica: string, version: number, taken: number, more = {}): StoredRow => ({
    ...{ address: 'stock:bounded-counter:::', replica, version },
    bytes: JSON.stringify({ ...bounded, taken, ...more }),
  });

  test('more taken than there was, in all rows together, counting each replica once', () => {
    const seen = createObserver(app.variables);
    seen.written([row('a.1', 1, 3), row('b.1', 1, 3)]);
    seen.written([row('a.1', 1, 3), row('a.1', 2, 4, { given: 1 })]);
    expect(seen.oversold).toBe(null);
    seen.written([row('a.1', 1, 6)]);
    expect(seen.oversold).toBe(null);
    seen.written([row('b.1', 2, 4)]);
    expect(seen.oversold).toBe('7 units of stock:bounded-counter::: were taken, and there were 6');
  });

  test('units that were minted and burned', () => {
    const seen = createObserver(app.variables);
    seen.written([row('a.1', 1, 8, { minted: 2 })]);
    expect(seen.oversold).toBe(null);
    seen.written([row('b.1', 1, 0, { burned: 1 })]);
    expect(seen.oversold).toMatch(/^7 units .* there were 6$/);
  });

  test('a row that is missing, and one that differs, on either side', () => {
    const rows = (...list: StoredRow[]) => new Map([['x', new Map(list.map((one) => [one.replica, one]))]]);
    const one: StoredRow = { address: 'x', replica: 'a.1', version: 1, bytes: '1' };
    expect(differenceOf(['a', rows(one)], ['b', rows(one)])).toBe(null);
    expect(differenceOf(['a', rows(one)], ['b', new Map()])).toBe('b lacks the row of a.1 for x that a holds');
    expect(differenceOf(['a', rows(one)], ['b', rows({ ...one, bytes: '2' })])).toMatch(/v1 1 at a and v1 2 at b/);
  });
});
