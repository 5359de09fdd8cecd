import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createRuns } from '../../src/http/admin/runs.ts';
import * as shapes from '../../src/http/admin/shapes.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openReplica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/memory.ts';
import type { Json } from '../../src/strategy/json.ts';
import { executeRun } from '../../src/workflow/run.ts';
import { brief, maxNotes, maxSteps, maxTextLength, observing, type RunRecord } from '../../src/workflow/trace.ts';
import { openShop, type Shop } from './admin-stage.ts';

let open: Shop;
beforeEach(async () => {
  open = await openShop();
});
afterEach(() => open.close());

const runsAt = '/_cffbrw/v1/runs';
const list = async (query = '') => shapes.runs.parse(await open.json(`${runsAt}${query}`));

describe('the last runs', () => {
  it('are listed newest first, by workflow and by whether they failed, page by page', async () => {
    for (const user of ['a', 'b', 'c']) await open.buy(user);
    await open.replica.variable('banner').set('closed');
    await open.buy('d');
    await open.send('/lots/1/buy');
    const all = (await list()).runs;
    expect(all.map(({ workflow, status }) => `${workflow} ${status}`)).toEqual([
      'look 200',
      'buy 409',
      'buy 201',
      'buy 201',
      'buy 201',
    ]);
    expect((await list('?failed=true')).runs.map(({ id, code }) => [id, code])).toEqual([[all[1]?.id, 'closed']]);
    const first = await list('?workflow=buy&limit=3');
    const second = await list(`?workflow=buy&limit=3&cursor=${first.cursor}`);
    expect([...first.runs, ...second.runs]).toEqual(all.slice(1));
    expect(second.cursor).toBeNull();
  });

  it.each(['?limit=0', '?limit=201', '?failed=yes', '?cursor=unknown', '?x=1'])('%s is a problem', async (query) => {
    expect((await open.get(`${runsAt}${query}`)).status).toBe(400);
  });

  it('are a bounded ring', () => {
    const runs = createRuns(3);
    const record = (id: string) => ({ id, workflow: 'w', status: 200, trace: [] }) as unknown as RunRecord;
    for (const id of ['1', '2', '3', '4', '5']) runs.add(record(id));
    expect(runs.list({ limit: 10 }).runs.map((run) => (run as RunRecord).id)).toEqual(['5', '4', '3']);
    expect(() => runs.get('2')).toThrow(/no such run/);
    expect(() => runs.list({ limit: 1, cursor: '2' })).toThrow(/not kept any more/);
  });
});

describe('one run', () => {
  it('says per step what it read and wrote, also in branches side by side', async () => {
    await open.buy('ann', 7);
    const [newest] = (await list()).runs;
    const run = shapes.run.parse(await open.json(`${runsAt}/${newest?.id}`));
    const told = run.trace.map(({ at, thread, reads, writes, skipped }) => [
      `${at}${thread}`,
      reads.map(({ variable, text }) => `${variable}=${text}`).join(),
      writes.map(({ variable, key, operation, text }) => `${operation} ${variable}[${key}] ${text}`).join(),
      skipped,
    ]);
    expect(told).toEqual([
      ['steps[0]', 'banner="hello"', '', true],
      ['steps[1]', '', 'add hits[null] 1', false],
      ['steps[2]', '', 'take stock[null] 1: ok', false],
      ['steps[3]', '', '', true],
      ['steps[4]', '', '', false],
      ['steps[4].parallel.one[0]/1.one', '', 'merge profile[ann] {"lot":7}', false],
      ['steps[4].parallel.two[0]/1.two', 'bid={"value":null,"with":null}', 'raise bid[7] {"value":5,"with":null}', false],
      ['steps[5]', '', '', false],
    ]);
    expect(run.trace.every(({ tookMs, startMs }) => tookMs >= 0 && startMs + tookMs <= run.tookMs)).toBe(true);
    expect(run).toMatchObject({ status: 201, code: null, file: 'workflows/buy.yaml', cut: false, keyed: false, steps: 8 });
  });

  it('is found by the instance of its problem', async () => {
    await open.replica.variable('banner').set('closed');
    const { instance } = shapes.problem.parse(await (await open.buy('ann')).json());
    const run = shapes.run.parse(await open.json(`${runsAt}/${encodeURIComponent(instance ?? '')}`));
    expect(`urn:cffbrw:${run.id}`).toBe(instance);
    expect(run.trace[0]).toMatchObject({ verb: 'fail', skipped: false, error: '409 The shop is closed' });
  });

  it('that nobody knows is a problem', async () => {
    for (const id of ['x', '..', '__proto__', '%00', 'x'.repeat(5000)])
      expect([id.slice(0, 9), [401, 404].includes((await open.get(`${runsAt}/${id}`)).status)]).toEqual([id.slice(0, 9), true]);
  });
});

describe('a trace', () => {
  const traced = async (steps: readonly unknown[]): Promise<RunRecord> => {
    const app = createApp([
      { cffbrw: 1, app: 'a', variables: { log: { strategy: 'last-write-wins', keyed: true }, all: {} } },
      { cffbrw: 1, workflow: 'w', on: { http: { method: 'POST', path: '/w' } }, steps },
    ]);
    const plan = app.workflows.get('w');
    if (plan === undefined) throw new Error('there is no workflow');
    const replica = await openReplica({ name: 'x', variables: app.variables, host: nodeHost, store: memoryStore() });
    const records: RunRecord[] = [];
    await executeRun(plan, { body: null }, { replica, host: nodeHost, observe: observing((record) => records.push(record)) });
    await replica.close();
    const [record] = records;
    if (record === undefined || records.length > 1) throw new Error(`${records.length} records`);
    return record;
  };

  it('notes at the right branch what is written after a wait', async () => {
    const branch = (name: string) => [
      { set: 'log', key: `${name}1`, value: '${ vars.all }' },
      { wait: name === 'a' ? '5ms' : '1ms' },
      { set: 'log', key: `${name}2`, value: "${ vars.log['zzz'] }" },
    ];
    const { trace } = await traced([{ parallel: { a: branch('a'), b: branch('b') } }]);
    const writes = trace.flatMap(({ thread, writes }) => writes.map(({ key }) => `${thread} ${key}`)).sort();
    expect(writes).toEqual(['/1.a a1', '/1.a a2', '/1.b b1', '/1.b b2']);
  });

  it('is bounded, whatever the run does', async () => {
    const many = `\${ split('${'x,'.repeat(700)}', ',') }`;
    const record = await traced([{ each: many, item: 'one', do: [{ set: 'log', key: 'k', value: '${ one }' }] }]);
    expect([record.trace.length, record.cut]).toEqual([maxSteps, true]);
    const reads = Array.from({ length: 2 * maxNotes }, () => '${ vars.all }');
    const { trace } = await traced([{ set: 'log', key: 'k', value: reads }]);
    expect(trace[0]?.reads.length).toBe(maxNotes);
  });

  it('keeps the beginning of a value alone', () => {
    const cases: readonly (readonly [Json, string])[] = [
      [null, 'null'],
      ['a"b', '"a\\"b"'],
      [{ a: [1, true, { b: null }] }, '{"a":[1,true,{"b":null}]}'],
      [[], '[]'],
    ];
    for (const [value, text] of cases) expect(brief(value)).toBe(text);
    for (const huge of ['x'.repeat(1e6), Array.from({ length: 1e5 }, () => 'xyz'), { ['k'.repeat(1e5)]: 1 }]) {
      expect(brief(huge)).toHaveLength(maxTextLength);
      expect(brief(huge).endsWith('…')).toBe(true);
    }
  });
});
