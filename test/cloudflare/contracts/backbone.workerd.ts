/** The contract of the backbone, inside workerd: several regions' connections to one hub, each in an object of its own. */
import { describe, test } from 'vitest';
import { createHubBackbone } from '../../../src/cloudflare/backbone.ts';
import type { ObjectState } from '../../../src/cloudflare/bindings.ts';
import { createWorkerHost } from '../../../src/cloudflare/host.ts';
import { openHub } from '../../../src/cloudflare/hub.ts';
import type { Answered, Push } from '../../../src/cloudflare/wire.ts';
import { type BackboneBench, backboneCases } from '../../../src/testing/backbone.ts';
import { inObject } from './bench.ts';

/** Everything that goes over is JSON, as between two objects. */
const sent = <Content>(content: Content): Content => JSON.parse(JSON.stringify(content)) as Content;

function open(state: ObjectState, pushes: boolean): BackboneBench {
  const host = createWorkerHost();
  const cut = new Set<string>();
  const regions = new Map<string, ReturnType<typeof createHubBackbone>[]>();
  const push = async (region: string, told: Push) =>
    (regions.get(region) ?? []).map((each) => each.pushed(sent(told))).includes(true);
  const start = () => openHub({ state, ...(pushes && { push, pushEveryMs: 30 }) });
  let hub = start();
  const restart = async () => {
    hub.close();
    hub = start();
  };
  const put = async (rows: Readonly<Record<string, unknown>>[][]) => {
    hub.close();
    for (const [index, table] of tables.entries()) {
      state.storage.sql.exec(`DELETE FROM ${table}`);
      for (const row of rows[index] ?? []) {
        const names = Object.keys(row);
        state.storage.sql.exec(
          `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
          ...(Object.values(row) as string[]),
        );
      }
    }
    hub = start();
  };
  return {
    host,
    connect(name) {
      const send = async (questions: object): Promise<Answered> => {
        if (cut.has(name)) throw new Error('cut');
        return sent(await hub.answer(sent(questions) as never));
      };
      const backbone = createHubBackbone({ host, name, send, retryMs: 50, pollMs: pushes ? null : 20 });
      regions.set(name, [...(regions.get(name) ?? []), backbone]);
      return backbone;
    },
    cut: (name) => cut.add(name),
    heal: () => cut.clear(),
    restart,
    async backup() {
      const saved = tables.map((table) => state.storage.sql.exec(`SELECT * FROM ${table}`).toArray());
      return () => put(saved);
    },
    empty: () => put([]),
    async close() {
      for (const each of [...regions.values()].flat()) await each.close();
      hub.close();
    },
  };
}

const tables = ['rows', 'records'];

describe('the hub, asked again and again', () => {
  for (const { title, run } of backboneCases) test(title, () => inObject((state) => run(async () => open(state, false))));
});

describe('the hub, telling what is new', () => {
  // A hub that starts anew knows of nobody until it is asked; and it does not tell a region what that has told it.
  const untold = /restart|restored|emptied|cut|also its publisher/;
  for (const { title, run } of backboneCases.filter(({ title }) => !untold.test(title))) {
    test(title, () => inObject((state) => run(async () => open(state, true))));
  }
});
