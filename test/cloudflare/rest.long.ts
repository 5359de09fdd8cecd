/** Objects that nobody asks for anything leave memory, and come back for what is due: an event, a hold, a tick of a schedule. */
import { describe, expect, test } from 'vitest';
import { type Edge, openEdge } from './stage.ts';

const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: rest
variables:
  stock: { strategy: bounded-counter, initial: 10 }
  count: { strategy: sum-increments }
  ticks: { strategy: sum-increments }
events: { path: /events, variables: [count] }
`,
  'workflows/take.yaml': `cffbrw: 1
workflow: take
on: { http: { method: POST, path: "/take/{hold}", params: { type: object, properties: { hold: { type: integer } } } } }
steps:
  - take: stock
    amount: 8
    hold: \${ request.params.hold }
    timeout: 1s
    as: taken
  - respond: { body: { ok: "\${ taken.ok }" } }
`,
  'workflows/count.yaml': `cffbrw: 1
workflow: count
on: { http: { method: POST, path: /count } }
steps:
  - add: count
`,
  'workflows/read.yaml': `cffbrw: 1
workflow: read
on: { http: { method: GET, path: /read } }
steps:
  - respond: { body: { ticks: "\${ vars.ticks }", count: "\${ vars.count }" } }
`,
};
const ticking = {
  ...documents,
  'workflows/tick.yaml': `cffbrw: 1
workflow: tick
on: { cron: { schedule: "* * * * *", timezone: UTC } }
steps:
  - add: ticks
`,
};

const regions = ['weur', 'enam'];
/** workerd lets go of an object that was not used for ten seconds, and looks now and then. */
const forgottenMs = 25_000;

const pause = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));
const post = (edge: Edge, path: string, region: string) => edge.ask({ path, method: 'POST' }, region);
/** Regions whose replicas are in memory, and the alarms that were set since they were. */
const awake = async (edge: Edge) =>
  Object.fromEntries(
    Object.entries((await edge.usage()).regions).flatMap(([name, { status, alarmsSet }]) =>
      status === null ? [] : [[name, alarmsSet]],
    ),
  );

async function withEdge(app: Readonly<Record<string, string>>, use: (edge: Edge) => Promise<void>): Promise<void> {
  const edge = await openEdge({ app, regions });
  try {
    await use(edge);
  } finally {
    await edge.close();
  }
}

// Each waits most of the time.
describe.concurrent('objects at rest', () => {
  test('a region that only counts sets no alarm, and both regions leave memory', () =>
    withEdge(documents, async (edge) => {
      for (const region of regions) await post(edge, '/count', region);
      await pause(6_000);
      expect(await awake(edge)).toEqual({ weur: 0, enam: 0 });
      await pause(forgottenMs);
      expect(await awake(edge)).toEqual({});
      expect((await edge.ask({ path: '/read' }, 'weur')).body.count).toBe(2);
    }));

  test('an open stream does not keep its region in memory, and tells what happens elsewhere all the same', () =>
    withEdge(documents, async (edge) => {
      await post(edge, '/count', 'weur');
      const response = await edge.miniflare.dispatchFetch('http://localhost/events', {
        cf: { continent: 'NA', latitude: '40', longitude: '-74' },
      });
      const reader = response.body?.getReader();
      let text = '';
      const told = async (value: number) => {
        while (!text.includes(`"value":${value}}`)) text += new TextDecoder().decode((await reader?.read())?.value);
      };
      await told(1);
      await pause(forgottenMs);
      expect(await awake(edge)).toEqual({});
      await post(edge, '/count', 'weur');
      await told(2);
      await reader?.cancel();
    }));

  test('a hold ends although its region has left memory', () =>
    withEdge(documents, async (edge) => {
      expect((await post(edge, '/take/40000', 'weur')).body.ok).toBe(true);
      await pause(30_000);
      expect((await post(edge, '/take/1000', 'enam')).body.ok).toBe(false);
      await pause(15_000);
      expect((await post(edge, '/take/1000', 'enam')).body.ok).toBe(true);
    }));

  test('a tick fires once for the whole app, in a region that nobody asked for anything meanwhile', () =>
    withEdge(ticking, async (edge) => {
      for (const region of regions) await edge.ask({ path: '/read' }, region);
      const minutes = (atMs: number) => Math.floor(atMs / 60_000);
      const startMs = Date.now();
      await pause(90_000);
      const { body } = await edge.ask({ path: '/read' }, 'weur');
      const passed = minutes(Date.now()) - minutes(startMs);
      expect(body.ticks).toBeGreaterThanOrEqual(1);
      expect(body.ticks).toBeLessThanOrEqual(passed);
    }));
});
