/**
 * workerd killed at random moments under load, thirty times over the same storage: what was acknowledged is there, and never more is sold than
 * there is. `CFFBRW_KILLS=5` for fewer; `CFFBRW_SEED` repeats the moments (not what the machine does in between).
 */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/simulate/random.ts';
import { type Answer, openEdge } from './stage.ts';

const stock = 1_000;
const documents = {
  'cffbrw.yaml': `cffbrw: 1
app: kills
variables:
  stock: { strategy: bounded-counter, initial: ${stock} }
  count: { strategy: sum-increments }
  notes: { strategy: last-write-wins, keyed: true }
`,
  'workflows/take.yaml': `cffbrw: 1
workflow: take
on: { http: { method: POST, path: "/take/{note}" } }
steps:
  - take: stock
    as: taken
    timeout: 1s
  - respond: { status: 409, body: { reason: "\${ taken.reason }" } }
    when: "!taken.ok"
  - add: count
  - set: notes
    key: \${ request.params.note }
    value: \${ taken.receipt }
  - respond: { body: { receipt: "\${ taken.receipt }" } }
`,
  'workflows/read.yaml': `cffbrw: 1
workflow: read
on: { http: { method: GET, path: "/notes/{note}" } }
steps:
  - respond: { body: { note: "\${ vars.notes[request.params.note] }", count: "\${ vars.count }" } }
`,
};

const regions = ['weur', 'enam', 'apac'];
const kills = Number(process.env.CFFBRW_KILLS ?? 30);
const seed = process.env.CFFBRW_SEED ?? String(Math.floor(Math.random() * 1e9));
const users = 24;

test(`${kills} kills lose nothing that was acknowledged, and sell nothing twice (CFFBRW_SEED=${seed})`, async () => {
  const edge = await openEdge({ app: documents, regions });
  const random = createRandom(seed);
  const receipts = new Map<string, { readonly receipt: string; readonly region: string }>();
  let unknown = 0;
  let asked = 0;

  const ask = async (): Promise<Answer | null> => {
    const region = random.pick(regions);
    const note = `n${asked++}`;
    const answer = await edge.ask({ path: `/take/${note}`, method: 'POST' }, region).catch(() => null);
    // An answer without its body was cut off.
    if (typeof answer?.body?.receipt === 'string') receipts.set(note, { receipt: answer.body.receipt, region });
    else if (answer?.status !== 409) unknown += 1;
    return answer;
  };
  try {
    for (let round = 0; round < kills; round += 1) {
      let over = false;
      const user = async () => {
        while (!over) if ((await ask()) === null) return;
      };
      const all = Array.from({ length: users }, user);
      await new Promise((resolve) => setTimeout(resolve, random.next() * 700));
      over = true;
      await edge.kill();
      await Promise.all(all);
    }
    const sold = receipts.size;
    for (const [note, { receipt, region }] of receipts) {
      const { body } = await edge.ask({ path: `/notes/${note}` }, region);
      expect(body.note, note).toBe(receipt);
    }
    for (let refused = 0; refused < users; ) {
      const answers = await Promise.all(Array.from({ length: users }, ask));
      refused = answers.filter((answer) => answer?.status === 409).length;
    }
    console.log(`${kills} kills: ${sold} sold under them, ${receipts.size} in all, ${unknown} unknown, of ${stock}`);
    expect(new Set([...receipts.values()].map(({ receipt }) => receipt)).size).toBe(receipts.size);
    expect(receipts.size).toBeLessThanOrEqual(stock);
    expect(receipts.size + unknown).toBeGreaterThanOrEqual(stock);
    const counts = await Promise.all(regions.map(async (region) => (await edge.ask({ path: '/notes/n0' }, region)).body.count));
    for (const count of counts) {
      expect(count).toBeGreaterThanOrEqual(receipts.size);
      expect(count).toBeLessThanOrEqual(stock);
    }
  } finally {
    await edge.close();
  }
}, 600_000);
