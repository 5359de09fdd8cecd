import { describe, expect, it } from 'vitest';
import { maxQueueBytes, patienceMs } from '../../src/http/event-client.ts';
import { createEvents, heartbeatMs, pauseMs } from '../../src/http/events.ts';
import type { LogEntry } from '../../src/http/problem.ts';
import type { WatchedReplica } from '../../src/http/snapshot.ts';
import type { Change, Slot } from '../../src/replica/replica.ts';
import { type Address, addressOf, addressPrefix, type Key } from '../../src/strategy/address.ts';
import type { Json } from '../../src/strategy/json.ts';
import type { Variable } from '../../src/strategy/variable.ts';
import { windowAt } from '../../src/strategy/window.ts';
import { fakeHost } from './fakes.ts';

const variable = (name: string, fields: Partial<Variable> = {}): Variable => ({
  name,
  strategy: 'sum-increments',
  keyed: false,
  durability: 'durable',
  ...fields,
});

/** A replica of values in a map. `write` is durable at once; `hold` lets what was written wait. */
function fakeReplica(host: ReturnType<typeof fakeHost>, declared: readonly Variable[]) {
  const variables = new Map(declared.map((each) => [each.name, each]));
  const values = new Map<string, Json>();
  const listeners = new Map<string, Set<(change: Change) => void>>();
  const addresses = new Map<string, Address>();
  let held: { promise: Promise<void>; done: () => void; failed: (error: Error) => void } | null = null;
  const declaredOf = (name: string): Variable => {
    const found = variables.get(name);
    if (found === undefined) throw new Error(`no variable ${name}`);
    return found;
  };
  const address = (name: string, key?: Key): Address => {
    const found = declaredOf(name);
    const made = addressOf(found, key, found.window === undefined ? '' : windowAt(found.window, host.now()).id);
    addresses.set(made.id, made);
    return made;
  };
  const replica: WatchedReplica = {
    variables,
    address,
    peek: (each) => ({ address: each }) as Slot,
    load: async () => {},
    read: (slot) => values.get(slot.address.id) ?? 0,
    commitOf: () => (held === null ? 0 : 1),
    durable: (commit) => (commit === 0 ? undefined : held?.promise),
    watch(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    },
    keys: async (name, { prefix = '', limit = 100 }) => {
      const found = declaredOf(name);
      const start = addressPrefix(found, address(name, 'x').window, prefix);
      const ids = [...values.keys()].filter((id) => id.startsWith(start)).sort();
      return ids.slice(0, limit).map((id) => addresses.get(id)?.key ?? '');
    },
  };
  return {
    replica,
    write(name: string, value: Json, key?: Key) {
      const { id, window } = address(name, key);
      values.set(id, value);
      for (const listener of listeners.get(name) ?? []) listener({ variable: name, key: key ?? null, window, value });
    },
    emit(change: Change) {
      for (const listener of listeners.get(change.variable) ?? []) listener(change);
    },
    watchers: () => [...listeners.values()].reduce((sum, set) => sum + set.size, 0),
    hold() {
      let done = () => {};
      let failed: (error: Error) => void = () => {};
      const promise = new Promise<void>((resolve, reject) => {
        done = resolve;
        failed = reject;
      });
      held = { promise, done, failed };
      return {
        durable: () => {
          held = null;
          done();
        },
        fail(revert: () => void) {
          held = null;
          revert();
          failed(new Error('the disk is full'));
        },
      };
    },
    values,
    address,
  };
}

const day = { every: 'day', timezone: 'UTC' } as const;
const declared = [
  variable('spins'),
  variable('views', { keyed: true }),
  variable('daily', { window: day }),
  variable('scores', { keyed: true, window: day }),
];

function setup({
  startMs,
  ...options
}: {
  variables?: readonly string[];
  maxClients?: number;
  maxKeys?: number;
  startMs?: number;
} = {}) {
  const host = fakeHost(startMs);
  const fake = fakeReplica(host, declared);
  const logged: LogEntry[] = [];
  const events = createEvents({
    host,
    replica: fake.replica,
    path: '/events',
    variables: ['spins', 'views'],
    log: (entry) => logged.push(entry),
    ...options,
  });
  const open = async (query = '') => {
    const abort = new AbortController();
    const response = await events.answer(new Request(`http://localhost/events${query}`, { signal: abort.signal }), '/events');
    if (response === null) throw new Error('nobody answered');
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    /** The next chunk as [variable, key, value] triples and other lines; null at the end. */
    const next = async (): Promise<unknown[] | null> => {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) return null;
      return decoder.decode(chunk.value).split('\n\n').filter(Boolean).map(parseEvent);
    };
    return { response, next, abort, cancel: () => reader?.cancel() };
  };
  return { host, events, open, logged, ...fake };
}

function parseEvent(text: string): unknown {
  const found = /^event: (.*)\ndata: (.*)$/.exec(text);
  if (found === null) return text;
  const { key, value } = JSON.parse(found[2] ?? '');
  return [found[1], key, value];
}

describe('the event stream', () => {
  it('begins with a snapshot of every variable, keyed ones by key, and goes on with changes', async () => {
    const { write, open, host } = setup();
    write('spins', 3);
    write('views', 1, 'ann');
    write('views', 2, 'bob');
    const { response, next } = await open();
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await next()).toEqual(['retry: 2000', ['spins', null, 3], ['views', 'ann', 1], ['views', 'bob', 2]]);
    write('spins', 4);
    write('views', 3, 'ann');
    host.advance(pauseMs);
    expect(await next()).toEqual([
      ['spins', null, 4],
      ['views', 'ann', 3],
    ]);
  });

  it('tells an address at most once per pause, and always its last value', async () => {
    const { write, open, host } = setup();
    const { next } = await open();
    await next();
    const told: unknown[] = [];
    for (let count = 1; count <= 1000; count++) {
      write('spins', count);
      expect(host.timers).toBe(2);
      if (count % 100 === 0) {
        host.advance(pauseMs);
        told.push(...((await next()) ?? []));
      }
    }
    expect(told).toHaveLength(10);
    expect(told.at(-1)).toEqual(['spins', null, 1000]);
  });

  it('keeps what changes while a slow client does not read, each address once', async () => {
    const { write, open, host } = setup();
    const { next } = await open();
    await next();
    for (let count = 1; count <= 50; count++) {
      write('spins', count);
      write('views', count, 'ann');
      host.advance(pauseMs);
    }
    expect(await next()).toEqual([
      ['spins', null, 50],
      ['views', 'ann', 50],
    ]);
  });

  it('lets a client go that falls too far behind, and says so in the log', async () => {
    const { write, open, host, logged, watchers } = setup();
    const { next } = await open();
    await next();
    const long = 'x'.repeat(100_000);
    for (let count = 0; count <= maxQueueBytes / 100_000 + 2; count++) write('views', long, `k${count}`);
    host.advance(pauseMs);
    expect(watchers()).toBe(0);
    expect(logged).toMatchObject([{ level: 'warn', message: expect.stringContaining('too slowly') }]);
    expect(await next()).toBeNull();
  });

  it('lets a client go that has read nothing for a minute', async () => {
    const { open, host, logged, watchers } = setup();
    const { next } = await open();
    await next();
    host.advance(heartbeatMs);
    await new Promise(setImmediate);
    host.advance(patienceMs + heartbeatMs * 2);
    expect([watchers(), logged.length]).toEqual([0, 1]);
  });

  it('shows only what is durable', async () => {
    const { values, address, open, hold } = setup({ variables: ['spins'] });
    values.set(address('spins').id, 7);
    const commit = hold();
    const { next } = await open();
    let told: unknown = null;
    const reading = next().then((chunk) => {
      told = chunk;
    });
    await new Promise(setImmediate);
    expect(told).toBeNull();
    commit.durable();
    await reading;
    expect(told).toEqual(['retry: 2000', ['spins', null, 7]]);
  });

  it('reads again what a failed commit has taken back', async () => {
    const { values, address, open, hold } = setup({ variables: ['spins'] });
    values.set(address('spins').id, 7);
    const commit = hold();
    const { next } = await open();
    await new Promise(setImmediate);
    commit.fail(() => values.set(address('spins').id, 6));
    expect(await next()).toEqual(['retry: 2000', ['spins', null, 6]]);
  });

  it('lets a change that arrives during the snapshot win over the snapshot', async () => {
    const { write, values, address, open, hold, host } = setup({ variables: ['spins'] });
    values.set(address('spins').id, 1);
    const commit = hold();
    const { next } = await open();
    await new Promise(setImmediate);
    write('spins', 2);
    host.advance(pauseMs);
    commit.durable();
    expect(await next()).toEqual(['retry: 2000', ['spins', null, 2]]);
  });

  it('gives only the keys that start with ?prefix=, in the snapshot and in changes', async () => {
    const { write, open, host } = setup();
    write('views', 1, 'ann');
    write('views', 2, 'bob');
    const { next } = await open('?prefix=an');
    expect(await next()).toEqual(['retry: 2000', ['spins', null, 0], ['views', 'ann', 1]]);
    write('views', 3, 'bob');
    write('views', 4, 'anton');
    host.advance(pauseMs);
    expect(await next()).toEqual([['views', 'anton', 4]]);
  });

  it('bounds the keys of a snapshot', async () => {
    const { write, open } = setup({ variables: ['views'], maxKeys: 2 });
    for (const key of ['c', 'a', 'b']) write('views', 1, key);
    expect(await (await open()).next()).toEqual(['retry: 2000', ['views', 'a', 1], ['views', 'b', 1]]);
  });

  it('tells the new window’s value when a window ends, and nothing of late writes into the old one', async () => {
    const { write, open, host, emit, address } = setup({
      variables: ['daily', 'scores'],
      startMs: Date.UTC(2026, 10, 20, 23, 59, 55),
    });
    write('daily', 5);
    write('scores', 9, 'ann');
    const old = address('daily').window;
    const { next } = await open();
    expect(await next()).toEqual(['retry: 2000', ['daily', null, 5], ['scores', 'ann', 9]]);
    host.advance(4_999);
    expect(address('daily').window).toBe(old);
    host.advance(1);
    const chunks = [...((await next()) ?? []), ...((await next()) ?? [])];
    expect(address('daily').window).not.toBe(old);
    expect(chunks).toEqual([
      ['daily', null, 0],
      ['scores', 'ann', 0],
    ]);
    const reading = next();
    emit({ variable: 'daily', key: null, window: old, value: 6 });
    host.advance(pauseMs);
    write('daily', 1);
    host.advance(pauseMs);
    expect(await reading).toEqual([['daily', null, 1]]);
  });

  it('sends a comment every 15 s, so that no proxy closes it', async () => {
    const { open, host } = setup();
    const { next } = await open();
    await next();
    const reading = next();
    host.advance(heartbeatMs - 1);
    await new Promise(setImmediate);
    host.advance(1);
    expect(await reading).toEqual([':']);
  });

  it('stops watching and holds no timer once the last client is gone, by abort or by cancel', async () => {
    const { open, host, watchers } = setup();
    const one = await open();
    const two = await open();
    expect([watchers(), host.timers]).toEqual([2, 1]);
    one.abort.abort();
    expect(watchers()).toBe(2);
    await two.cancel();
    expect([watchers(), host.timers]).toEqual([0, 0]);
    const three = await open();
    await three.next();
    expect(watchers()).toBe(2);
  });

  it('ends all streams on close, and takes no more', async () => {
    const { open, events, watchers } = setup();
    const { next } = await open();
    await next();
    events.close();
    expect([await next(), watchers()]).toEqual([null, 0]);
    expect((await open()).response.status).toBe(503);
  });

  it('takes so many clients and no more, only GET, and leaves other paths alone', async () => {
    const { open, events } = setup({ maxClients: 1 });
    await open();
    const refused = (await open()).response;
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    const post = await events.answer(new Request('http://localhost/events', { method: 'POST' }), '/events');
    expect([post?.status, post?.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await events.answer(new Request('http://localhost/other'), '/other')).toBeNull();
  });
});
