/** What becomes of a backbone whose server dies, is set back, fails over, or is reached through a network that breaks. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/backbone/index.ts';
import { openPostgresBackbone } from '../../src/node/backbone.ts';
import { parseBackboneUrl } from '../../src/node/backbone-url.ts';
import { nodeHost } from '../../src/node/host.ts';
import type { StoredRow } from '../../src/store/index.ts';
import { mulberry } from './backbone-bench.ts';
import { copyFiles, password, startPostgres, type TestServer } from './backbone-postgres.ts';
import { startProxy, type TestProxy } from './backbone-proxy.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startServer(flags: readonly string[] = []): Promise<TestServer> {
  const server = await startPostgres(flags);
  ends.push(() => server.close());
  return server;
}

async function open(
  server: TestServer,
  more: { readonly cursor?: string | null; readonly port?: number; readonly options?: string } = {},
) {
  const { cursor = null, port = server.port, options = '' } = more;
  const url = server.url(`?timeout=0.5${options}`).replace(`:${server.port}/`, `:${port}/`);
  const backbone = await openPostgresBackbone({ target: parseBackboneUrl(url, {}), cursor });
  ends.push(() => backbone.close());
  return backbone;
}

const row = (address: string, version = 1): StoredRow => ({ address, replica: 'a.1', version, bytes: `{"v":${version}}` });

function follow(backbone: Backbone, cursor: string | null = null) {
  const seen = new Map<string, number>();
  const state = { cursor: cursor };
  backbone.subscribe(cursor, async ({ rows, cursor: next }) => {
    for (const { address, version } of rows) seen.set(address, version);
    state.cursor = next;
  });
  return { seen, state };
}

const published = (backbone: Backbone, rows: readonly StoredRow[]) => backbone.publish(rows).then(() => true);

/** The first answer after an outage. */
async function answered<Result>(work: () => Promise<Result>): Promise<Result> {
  let result: Result | undefined;
  await expect
    .poll(
      async () => {
        result = await work().catch(() => undefined);
        return result;
      },
      { timeout: 20_000 },
    )
    .toBeDefined();
  return result as Result;
}

async function copyStopped(server: TestServer): Promise<() => Promise<void>> {
  await server.stop();
  const putBack = await copyFiles(server);
  await server.start();
  return putBack;
}

/** As a snapshot of its disk: nothing is written meanwhile. */
async function copyRunning(server: TestServer): Promise<() => Promise<void>> {
  await server.admin().unsafe('checkpoint').simple();
  return copyFiles(server);
}

describe('the server', () => {
  test('that is killed keeps what it acknowledged, its identity, and its subscribers', async () => {
    const server = await startServer();
    const backbone = await open(server);
    const { seen } = follow(backbone);
    const identity = await backbone.identity();
    await backbone.publish([row('x', 1)]);
    const { register } = await backbone.registers.compareAndSet('r', 'one', null);
    await server.kill();
    await expect(backbone.publish([row('x', 2)])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await server.start();
    expect(await answered(() => backbone.identity())).toBe(identity);
    expect(await backbone.registers.get('r')).toEqual(register);
    await backbone.publish([row('x', 3)]);
    await expect.poll(() => seen.get('x'), { timeout: 10_000 }).toBe(3);
  });

  test('that is killed again and again in the middle of everything stays the same one', async () => {
    const server = await startServer();
    const backbone = await open(server);
    const { seen } = follow(backbone);
    const identity = await backbone.identity();
    const state = { acknowledged: 0, stopped: false };
    const writing = (async () => {
      for (let version = 1; !state.stopped; version += 1) {
        const done = await published(backbone, [row('x', version)]).catch(() => false);
        if (done) state.acknowledged = version;
        await backbone.registers.compareAndSet(`r${version}`, 'one', null).catch(() => null);
      }
    })();
    for (let round = 0; round < 5; round += 1) {
      const before = state.acknowledged;
      await expect.poll(() => state.acknowledged, { timeout: 20_000 }).toBeGreaterThan(before + 5);
      await server.kill();
      await server.start();
      expect(await answered(() => backbone.identity())).toBe(identity);
      expect(await answered(() => backbone.latest('a.1'))).toBeGreaterThan(before);
    }
    state.stopped = true;
    await writing;
    await expect.poll(() => seen.get('x'), { timeout: 20_000 }).toBeGreaterThanOrEqual(state.acknowledged);
    expect(await backbone.latest('a.1')).toBeGreaterThanOrEqual(state.acknowledged);
  });

  test('that was set back to a copy of its files is another one, for who was connected', async () => {
    const server = await startServer();
    const backbone = await open(server);
    const before = await backbone.registers.compareAndSet('r', 'one', null);
    const putBack = await copyRunning(server);
    const identity = await backbone.identity();
    // Only a register is lost: no row shows it.
    const after = await backbone.registers.compareAndSet('r', 'two', before.register.revision);
    expect(after.done).toBe(true);
    expect(await backbone.identity()).toBe(identity);
    await server.stop();
    await putBack();
    await server.start();
    expect(await answered(() => backbone.identity())).not.toBe(identity);
    expect((await backbone.registers.compareAndSet('r', 'three', after.register.revision)).done).toBe(false);
    expect((await backbone.registers.compareAndSet('r', 'three', before.register.revision)).done).toBe(false);
    expect((await backbone.registers.get('r')).value).toBe('one');
  });

  test.each([
    ['between two starts', true],
    ['while it ran', false],
  ])('that was set back to a copy made %s is another one also for who comes later with a cursor, after others went on', async (_, restarts) => {
    const server = await startServer();
    const first = await open(server);
    await first.publish([row('x', 1)]);
    const identity = await first.identity();
    const putBack = restarts ? await copyStopped(server) : await copyRunning(server);
    const witness = await open(server);
    const followed = follow(witness);
    await answered(() => published(witness, [row('x', 2), row('y', 2)]));
    await expect.poll(() => followed.seen.get('y')).toBe(2);
    await witness.close();
    await server.stop();
    await putBack();
    await server.start();
    // Somebody who saw nothing of what is lost goes on, past everything that was there.
    const stranger = await open(server);
    for (let version = 2; version < 10; version += 1)
      await answered(() => published(stranger, [row('z', version), row('x', version)]));
    expect(await stranger.identity()).toBe(identity);
    const back = await open(server, { cursor: followed.state.cursor });
    expect(await back.identity()).not.toBe(identity);
    expect(await stranger.identity()).toBe(await back.identity());
  });

  test('that failed over is another one: the old one’s clients are refused by the standby until it is promoted', async () => {
    const server = await startServer();
    const backbone = await open(server);
    const identity = await backbone.identity();
    await backbone.publish([row('x', 1)]);
    await server.stop();
    await writeFile(join(server.directory, 'standby.signal'), '');
    await server.start(['-c', 'hot_standby=on']);
    const refused = await answered(() =>
      backbone.identity().catch((error: Error) => (/standby/.test(error.message) ? error : Promise.reject(error))),
    );
    expect(refused).toMatchObject({ code: 'UNREACHABLE', fix: expect.stringContaining('primary') });
    const sql = server.admin();
    await sql`select pg_promote()`;
    expect(await answered(() => backbone.identity())).not.toBe(identity);
    expect(await backbone.latest('a.1')).toBe(1);
  });

  test('with fsync off is refused when it starts and when it is changed later, and nothing tells the password', async () => {
    const server = await startServer();
    const sql = server.admin();
    const told: Error[] = [];
    const target = parseBackboneUrl(server.url('?timeout=0.5'), {});
    const backbone = await openPostgresBackbone({ target, refused: (error) => told.push(error) });
    ends.push(() => backbone.close());
    await sql.unsafe('alter system set fsync = off').simple();
    await sql.unsafe('select pg_reload_conf()').simple();
    await sql.unsafe("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'cffbrw'").simple();
    const failure = await backbone.identity().catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('fsync is off') });
    const refusal = await open(server).catch((error: Error) => error);
    expect(refusal).toMatchObject({ code: 'INVALID_APP', fix: expect.stringContaining('--allow-unsafe-backbone') });
    await (await open(server, { options: '&unsafe=1' })).identity();
    const text = inspect([failure, refusal, told], { showHidden: true, depth: 10 });
    expect(told.length).toBeGreaterThan(0);
    for (const secret of [password, encodeURIComponent(password)]) expect(text).not.toContain(secret);
  });
});

describe('the network', () => {
  async function behindProxy(): Promise<{ server: TestServer; proxy: TestProxy; backbone: Backbone; direct: Backbone }> {
    const server = await startServer();
    const proxy = await startProxy({ host: '127.0.0.1', port: server.port });
    ends.push(() => proxy.close());
    const backbone = await open(server, { port: proxy.port });
    return { server, proxy, backbone, direct: await open(server) };
  }

  test('that swallows answers makes outcomes unknown, and what was done shows later', async () => {
    const { proxy, backbone, direct } = await behindProxy();
    const { register } = await backbone.registers.compareAndSet('r', 'one', null);
    proxy.swallow('to-client');
    const unknown = backbone.registers.compareAndSet('r', 'two', register.revision);
    await expect(unknown).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('not known') });
    proxy.heal();
    expect((await answered(() => backbone.registers.get('r'))).value).toBe('two');
    expect((await direct.registers.get('r')).value).toBe('two');
  });

  test('that swallows requests makes outcomes unknown, and nothing was done', async () => {
    const { proxy, backbone, direct } = await behindProxy();
    const { register } = await backbone.registers.compareAndSet('r', 'one', null);
    proxy.swallow('to-server');
    await expect(backbone.registers.compareAndSet('r', 'two', register.revision)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    proxy.heal();
    expect((await direct.registers.get('r')).value).toBe('one');
    expect((await answered(() => backbone.registers.compareAndSet('r', 'two', register.revision))).done).toBe(true);
  });

  test('that is dead without saying so, delays, or ends in the middle of a message, costs no row', async () => {
    const { proxy, backbone, direct } = await behindProxy();
    const { seen } = follow(backbone);
    await direct.publish([row('a')]);
    await expect.poll(() => seen.get('a'), { timeout: 10_000 }).toBe(1);
    proxy.swallow('to-client');
    await direct.publish([row('b')]);
    proxy.heal();
    await expect.poll(() => seen.get('b'), { timeout: 20_000 }).toBe(1);
    proxy.delay(50);
    await direct.publish([row('c')]);
    await expect.poll(() => seen.get('c'), { timeout: 20_000 }).toBe(1);
    proxy.heal();
    const large = Array.from({ length: 200 }, (_, index) => row(`large ${index}`));
    proxy.cutAfter(3_000);
    await answered(() => published(backbone, large));
    await expect.poll(() => [...seen.keys()].filter((name) => name.startsWith('large')).length, { timeout: 20_000 }).toBe(200);
  });

  const runs = Number(process.env.CFFBRW_RUNS ?? 1);
  const seeds =
    process.env.CFFBRW_SEED === undefined
      ? Array.from({ length: 2 * runs }, (_, index) => index + 1)
      : [Number(process.env.CFFBRW_SEED)];
  test.each(
    seeds,
  )('counting by compare-and-set through a network that breaks at random loses nothing (seed %i)', async (seed) => {
    console.log(`CFFBRW_SEED=${seed} npx vitest run --config vitest.long.config.ts test/node/backbone-faults.long.ts`);
    const server = await startServer();
    const random = mulberry(seed);
    const proxies = await Promise.all([1, 2, 3].map(() => startProxy({ host: '127.0.0.1', port: server.port })));
    for (const proxy of proxies) ends.push(() => proxy.close());
    const tally = { done: 0, unknown: 0 };
    const state = { stopped: false };
    const breaking = (async () => {
      for (let round = 0; round < 25; round += 1) {
        const proxy = proxies[Math.floor(random() * 3)] as TestProxy;
        const kinds = [
          () => proxy.cut(),
          () => proxy.swallow('to-client'),
          () => proxy.swallow('to-server'),
          () => proxy.cutAfter(Math.ceil(random() * 200)),
        ];
        kinds[Math.floor(random() * kinds.length)]?.();
        await new Promise<void>((resolve) => void nodeHost.after(random() * 100, resolve));
        proxy.heal();
      }
      state.stopped = true;
    })();
    const count = async (backbone: Backbone) => {
      while (!state.stopped) {
        try {
          const { value, revision } = await backbone.registers.get('count');
          const swapped = await backbone.registers
            .compareAndSet('count', String(Number(value ?? 0) + 1), revision)
            .catch(() => null);
          if (swapped === null) tally.unknown += 1;
          else if (swapped.done) tally.done += 1;
        } catch {
          // Nothing was asked.
        }
      }
    };
    const backbones = await Promise.all(proxies.map((proxy) => open(server, { port: proxy.port })));
    await Promise.all([breaking, ...backbones.map(count)]);
    const total = Number((await (await open(server)).registers.get('count')).value);
    expect(total).toBeGreaterThanOrEqual(tally.done);
    expect(total).toBeLessThanOrEqual(tally.done + tally.unknown);
    expect(tally.done).toBeGreaterThan(10);
  });
});
