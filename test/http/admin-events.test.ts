import { afterEach, describe, expect, it } from 'vitest';
import { heartbeatMs, lingerMs, maxKept, maxReaders, maxRunsPerPause, pauseMs } from '../../src/http/admin/feed.ts';
import type { RunRecord } from '../../src/workflow/trace.ts';
import { openShop, type Shop, token } from './admin-stage.ts';
import { type FakeHost, fakeHost } from './fakes.ts';

const opened: Shop[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function start(): Promise<{ open: Shop; host: FakeHost }> {
  const host = fakeHost();
  const open = await openShop({ host });
  opened.push(open);
  return { open, host };
}

interface Reader {
  /** What has come, once there is something: blocks of the stream. */
  next(): Promise<readonly string[]>;
  cancel(): Promise<void>;
}

async function read(open: Shop, query = '', lastEventId?: string): Promise<Reader> {
  const headers = { authorization: `Bearer ${token}`, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
  const response = await open.send(`/_cffbrw/v1/events${query}`, { headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('no stream');
  return {
    async next() {
      const { value, done } = await reader.read();
      if (done) return ['ended'];
      return new TextDecoder()
        .decode(value)
        .split('\n\n')
        .filter((block) => block !== '');
    },
    cancel: () => reader.cancel(),
  };
}

const idOf = (block = ''): string => /^id: (.*)$/m.exec(block)?.[1] ?? '';
const typeOf = (block: string): string => /^event: (.*)$/m.exec(block)?.[1] ?? '';
const record = (id: string) => ({ id, workflow: 'w', status: 200, trace: [] }) as unknown as RunRecord;

describe('the events', () => {
  it('tell changes once per pause, runs and conflicts, each with the next id', async () => {
    const { open, host } = await start();
    const reader = await read(open);
    const hello = await reader.next();
    expect(hello[0]).toBe('retry: 2000');
    for (let count = 0; count < 5; count++) await open.replica.variable('hits').add(1);
    open.admin.observe(record('r1'));
    host.advance(pauseMs);
    const blocks = await reader.next();
    expect(blocks.map(typeOf)).toEqual(['change', 'run']);
    expect(blocks[0]).toContain('"variable":"hits"');
    expect(blocks[0]).toContain('"value":5');
    const number = (block = '') => Number(idOf(block).split('-')[1]);
    expect([number(hello[1]), number(blocks[0]), number(blocks[1])]).toEqual([0, 1, 2]);
  });

  it('go on after the last id that a reader has seen', async () => {
    const { open, host } = await start();
    const first = await read(open);
    await first.next();
    await open.replica.variable('hits').add(1);
    host.advance(pauseMs);
    const [seen] = await first.next();
    await first.cancel();
    await open.replica.variable('banner').set('one');
    host.advance(pauseMs);
    await open.replica.variable('banner').set('two');
    host.advance(pauseMs);
    const blocks = await (await read(open, '', idOf(seen))).next();
    expect(blocks.map(typeOf)).toEqual(['', '', 'change', 'change']);
    expect(blocks.join('')).toContain('"value":"one"');
    expect(blocks.join('')).toContain('"value":"two"');
  });

  it('go on also for a reader that had seen none', async () => {
    const { open, host } = await start();
    const first = await read(open);
    const [, hello] = await first.next();
    await first.cancel();
    await open.replica.variable('hits').add(1);
    host.advance(pauseMs);
    expect((await (await read(open, '', idOf(hello))).next()).map(typeOf)).toEqual(['', '', 'change']);
  });

  const lost: readonly (readonly [string, (open: Shop, host: FakeHost, id: string) => string])[] = [
    ['of another start', (_open, _host, id) => `ffffffff-${id.split('-')[1]}`],
    ['that is none', () => 'nonsense'],
    ['of the future', (_open, _host, id) => `${id.split('-')[0]}-999999`],
    ['that is empty', () => ''],
    [
      'that has left the ring',
      (open, host, id) => {
        for (let count = 0; count <= maxKept + 1; count += maxRunsPerPause) {
          for (let more = 0; more < maxRunsPerPause; more++) open.admin.observe(record('r'));
          host.advance(pauseMs);
        }
        return id;
      },
    ],
    [
      'from before nobody read for long',
      (_open, host, id) => {
        host.advance(lingerMs + 2 * heartbeatMs);
        return id;
      },
    ],
  ];
  it.each(lost)('say that they cannot go on after an id %s', async (_what, breakIt) => {
    const { open, host } = await start();
    const first = await read(open);
    const [, hello] = await first.next();
    await first.cancel();
    const blocks = await (await read(open, '', breakIt(open, host, idOf(hello)))).next();
    expect(blocks.map(typeOf)).toEqual(['', 'reset']);
    const again = await (await read(open, '', idOf(blocks[1]))).next();
    expect(again.map(typeOf)).toEqual(['', '']);
  });

  it('are those that were asked for', async () => {
    const { open, host } = await start();
    const runs = await read(open, '?types=run');
    const banner = await read(open, '?types=change,conflict&variable=banner');
    await Promise.all([runs.next(), banner.next()]);
    await open.replica.variable('hits').add(1);
    await open.replica.variable('banner').set('x');
    open.admin.observe(record('r1'));
    host.advance(pauseMs);
    expect((await runs.next()).map(typeOf)).toEqual(['run']);
    expect((await banner.next()).join()).toMatch(/^id: .*\nevent: change\ndata: .*"banner".*"x"\}$/);
    for (const query of ['?types=change,nothing', '?types=', '?variable=a&variable=b', '?x=1'])
      expect([query, (await open.get(`/_cffbrw/v1/events${query}`)).status]).toEqual([query, 400]);
  });

  it('count runs that are too many, and tell of the others', async () => {
    const { open, host } = await start();
    const reader = await read(open);
    await reader.next();
    for (let count = 0; count < maxRunsPerPause + 7; count++) open.admin.observe(record(`r${count}`));
    host.advance(pauseMs);
    const blocks = await reader.next();
    expect(blocks).toHaveLength(maxRunsPerPause);
    expect(blocks.at(-1)).toContain('"untold":7');
  });

  it('watch nothing and have no timer when nobody has read for long', async () => {
    const { open, host } = await start();
    expect(host.timers).toBe(0);
    const reader = await read(open);
    expect(host.timers).toBe(1);
    await reader.cancel();
    host.advance(lingerMs + 2 * heartbeatMs);
    expect(host.timers).toBe(0);
  });

  it('end when the server stops, and only so many may read', async () => {
    const { open } = await start();
    const readers = await Promise.all(Array.from({ length: maxReaders }, () => read(open)));
    expect((await open.get('/_cffbrw/v1/events')).status).toBe(503);
    await Promise.all(readers.map((reader) => reader.next()));
    open.handler.close();
    for (const reader of readers) expect(await reader.next()).toEqual(['ended']);
    expect((await open.get('/_cffbrw/v1/events')).status).toBe(503);
  });
});
