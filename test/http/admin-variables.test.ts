import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as shapes from '../../src/http/admin/shapes.ts';
import { openShop, type Shop } from './admin-stage.ts';

let open: Shop;
beforeEach(async () => {
  open = await openShop();
});
afterEach(() => open.close());

const at = '/_cffbrw/v1/variables';
interface Keys {
  readonly keys: readonly unknown[];
  readonly cursor: string | null;
}

describe('values', () => {
  it('come as the variables are declared, each with its operations', async () => {
    const { variables } = shapes.variables.parse(await open.json(at));
    expect(variables.map(({ name, operations }) => [name, operations.join(' ')])).toEqual([
      ['stock', 'take give confirm mint burn'],
      ['hits', 'add set reset'],
      ['banner', 'set unset'],
      ['profile', 'merge replace unset reset'],
      ['bid', 'raise reset'],
    ]);
  });

  it('are read at a key of any kind, with each replica’s row', async () => {
    for (const key of ['ann', 42, ['a', 1]]) await open.post(`${at}/profile/merge`, { key, value: { of: key } });
    const read = async (query: string) => shapes.value.parse(await open.json(`${at}/profile?${query}`));
    expect(await read('key=ann')).toMatchObject({ key: 'ann', value: { of: 'ann' } });
    expect(await read('keyJson=42')).toMatchObject({ key: 42, value: { of: 42 } });
    expect(await read(`keyJson=${encodeURIComponent('["a",1]')}&rows=true`)).toMatchObject({
      value: { of: ['a', 1] },
      rows: [{ replica: open.replica.id, row: { lastSeq: 1 } }],
    });
    expect((await read('key=42')).value).toBeNull();
  });

  it('of windows are read in this one and the one before', async () => {
    await open.post(`${at}/hits/add`, { amount: 3 });
    const now = shapes.value.parse(await open.json(`${at}/hits`));
    const before = shapes.value.parse(await open.json(`${at}/hits?window=previous`));
    expect([now.value, before.value]).toEqual([3, 0]);
    expect(now.window > before.window).toBe(true);
  });
});

describe('operations', () => {
  it('are carried out, and answer with the value afterwards', async () => {
    const post = async (path: string, body: object) => shapes.done.parse(await (await open.post(`${at}/${path}`, body)).json());
    expect((await post('hits/add', {})).value).toBe(1);
    expect((await post('hits/set', { value: 40 })).value).toBe(40);
    expect((await post('banner/set', { value: 'new' })).value).toBe('new');
    expect((await post('banner/unset', {})).value).toBe('hello');
    expect((await post('bid/raise', { key: 'a', value: 5, with: 'ann' })).value).toEqual({ value: 5, with: 'ann' });
    expect((await post('profile/replace', { key: 'a', value: { b: 1 } })).value).toEqual({ b: 1 });
    expect((await post('stock/mint', { amount: 5 })).value).toBe(15);
    expect((await post('stock/burn', { amount: 3 })).value).toBe(12);
    const { value, result } = await post('stock/take', { amount: 2 });
    expect([value, result]).toEqual([10, expect.objectContaining({ ok: true })]);
    const receipt = (result as { receipt: string }).receipt;
    expect((await post('stock/give', { receipt })).result).toMatchObject({ ok: true, repeated: false });
    expect((await post('stock/give', { receipt })).result).toMatchObject({ ok: true, repeated: true });
    expect((await post('stock/take', { amount: 100 })).result).toMatchObject({ ok: false, reason: 'exhausted' });
  });

  it('survive: what was answered is durable', async () => {
    await open.post(`${at}/hits/add`, { amount: 7 });
    expect(open.replica.status.dirty).toBe(0);
  });

  it.each([
    ['hits/add', { amount: 1.5 }, 400],
    ['hits/add', { amount: '1' }, 400],
    ['hits/add', { amuont: 1 }, 400],
    ['hits/add', { value: 1 }, 400],
    ['hits/add', [], 400],
    ['hits/take', {}, 404],
    ['hits/constructor', {}, 404],
    ['hits/__proto__', {}, 404],
    ['nothing/add', {}, 404],
    ['__proto__/add', {}, 404],
    ['banner/set', {}, 400],
    ['banner/set', { value: 7 }, 422],
    ['banner/set', { value: 'x', key: 'k' }, 422],
    ['profile/merge', { value: {} }, 422],
    ['profile/merge', { key: '', value: {} }, 422],
    ['profile/merge', { key: null, value: {} }, 400],
    ['profile/merge', { key: 'a', value: [] }, 422],
    ['profile/merge', { key: 'x'.repeat(600), value: {} }, 422],
    ['bid/raise', { key: 'a', value: 'high' }, 422],
    ['stock/take', { amount: 0 }, 422],
    ['stock/take', { amount: -1 }, 422],
    ['stock/take', { timeoutMs: 1e9 }, 400],
    ['stock/give', {}, 400],
    ['stock/burn', { amount: -5 }, 422],
  ])('%s with %j is a problem, and changes nothing', async (path, body, status) => {
    const before = open.replica.status.commit;
    const response = await open.post(`${at}/${path}`, body);
    const problem = shapes.problem.parse(await response.json());
    expect([response.status, problem.status]).toEqual([status, status]);
    expect(problem.code).toBeDefined();
    await open.replica.sync();
    expect(open.replica.status.commit).toBe(before);
  });

  it('a forged receipt gives nothing back', async () => {
    const response = await open.post(`${at}/stock/give`, { receipt: 'forged' });
    expect(await response.json()).toMatchObject({ result: { ok: false, reason: 'unknown' } });
  });

  it.each([
    ['no JSON', 'text/plain', '{}', 415],
    ['broken JSON', 'application/json', '{', 400],
    ['a prototype', 'application/json', '{"__proto__":{"amount":5}}', 400],
    ['too much', 'application/json', `{"value":"${'x'.repeat(1_100_000)}"}`, 413],
  ])('a body that is %s is a problem', async (_what, type, body, status) => {
    const authorization = `Bearer a-token-that-is-long-enough`;
    const headers = { authorization, 'content-type': type };
    expect((await open.send(`${at}/hits/add`, { method: 'POST', headers, body })).status).toBe(status);
  });
});

describe('queries', () => {
  it.each([
    ['profile?key=', 422],
    ['profile', 422],
    ['profile?keyJson={', 400],
    ['profile?keyJson=null', 422],
    ['profile?keyJson=1.5', 422],
    ['profile?key=a&keyJson=1', 400],
    ['profile?key=a&key=b', 400],
    ['profile?key=a&rows=yes', 400],
    ['profile?key=a&window=next', 400],
    ['profile?key=a&window=previous', 400],
    ['profile?nonsense=1', 400],
    ['profile?__proto__=1', 400],
    ['profile?key=%ff', 400],
    ['banner?key=a', 422],
    ['banner/keys', 400],
    ['profile/keys?limit=0', 400],
    ['profile/keys?limit=1001', 400],
    ['profile/keys?limit=x', 400],
    ['profile/keys?cursor=x', 400],
    ['profile/keys?cursor=%5B%5D', 400],
    ['profile/keys?cursor=%5B%22%22%2Cnull%5D', 422],
    ['profile/keys?cursor=%5B%222020-01-01%22%2C%22a%22%5D', 422],
    ['%00', 404],
    ['banner%2fkeys', 404],
  ])('%s is a problem: %i', async (path, status) => {
    const response = await open.get(`${at}/${path}`);
    expect(response.status).toBe(status);
    shapes.problem.parse(await response.json());
  });
});

describe('keys, page by page', () => {
  const names = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `k${String(from + index).padStart(3, '0')}`);
  const write = (keys: readonly string[]) =>
    Promise.all(keys.map((key) => open.replica.variable('profile').key(key).merge({ here: true })));

  it('are each seen once', async () => {
    await write(names(0, 25));
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Keys = await open.json(`${at}/profile/keys?limit=10${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...page.keys);
      cursor = page.cursor;
    }
    expect(seen).toEqual(names(0, 25));
  });

  it('are not moved by keys that come and go meanwhile', async () => {
    await write(names(100, 120));
    const first: Keys = await open.json(`${at}/profile/keys?limit=10`);
    await write(names(0, 50));
    await open.replica.variable('profile').key('k105').reset();
    await open.replica.variable('profile').key('k109').reset();
    const second: Keys = await open.json(`${at}/profile/keys?limit=100&cursor=${encodeURIComponent(first.cursor ?? '')}`);
    expect([...first.keys, ...second.keys]).toEqual(names(100, 120));
    expect(second.cursor).toBeNull();
  });

  it('have no further page when the last one is full', async () => {
    await write(names(0, 10));
    expect((await open.json<Keys>(`${at}/profile/keys?limit=10`)).cursor).toBeNull();
  });

  it('begin with a prefix', async () => {
    await write(['a1', 'a2', 'b1']);
    expect((await open.json<Keys>(`${at}/profile/keys?prefix=a`)).keys).toEqual(['a1', 'a2']);
  });
});
