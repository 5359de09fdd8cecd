import { randomInt } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Answer, createClient } from './load.ts';
import { inTemporary, runCli, startApp } from './process.ts';

const ledger = join(import.meta.dirname, 'apps/ledger');
const rounds = 50;

/** What was acknowledged, over all lives of the process. */
interface Acknowledged {
  writes: number;
  highest: number;
  readonly seen: Map<string, number>;
  readonly receipts: Set<unknown>;
  /** Answers by idempotency key. */
  readonly keyed: Map<string, Answer>;
}

test(`kill -9 at ${rounds} random moments under load: nothing acknowledged is lost, no eleventh voucher, and a key answers as the first time`, () =>
  inTemporary(async (home) => {
    const args = ['start', ledger, '--data', join(home, 'data')];
    const known: Acknowledged = { writes: 0, highest: 0, seen: new Map(), receipts: new Set(), keyed: new Map() };
    const attempts = { writes: 0, number: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const app = await startApp(args, home);
      await checkKept(app.url, known, attempts);
      const load = loadUntilKilled(app.url, known, attempts);
      setTimeout(() => app.child.kill('SIGKILL'), randomInt(20, 250));
      await load;
      await app.stop('SIGKILL');
    }
    const app = await startApp(args, home);
    await checkKept(app.url, known, attempts);
    expect(await app.stop()).toBe(0);
    console.log(
      `${rounds} kills: ${known.writes} writes of ${attempts.writes} acknowledged, ${known.receipts.size} vouchers, ${known.keyed.size} keys`,
    );
    expect(known.writes).toBeGreaterThan(rounds);
    expect(known.receipts.size).toBe(10);
  }));

async function loadUntilKilled(url: string, known: Acknowledged, attempts: { writes: number; number: number }): Promise<void> {
  const client = createClient(url, 40);
  let alive = true;
  const writer = async (worker: number) => {
    while (alive) {
      attempts.number += 1;
      const [user, number, key] = [`user-${worker}`, attempts.number, `key-${attempts.number}`];
      attempts.writes += 1;
      const answer = await client.post({ path: '/write', body: { user, number }, headers: { 'idempotency-key': key } });
      if (answer.status !== 200) alive = false;
      else acknowledge(known, { user, number, key, answer });
    }
  };
  const taker = async (worker: number) => {
    while (alive) {
      const answer = await client.post({ path: worker % 2 === 0 ? '/take' : '/grab', body: { user: `taker-${randomInt(50)}` } });
      if (answer.status === 0) alive = false;
      else if (answer.body.ok === true) known.receipts.add(answer.body.receipt);
    }
  };
  await Promise.all([
    ...Array.from({ length: 30 }, (_, index) => writer(index)),
    ...Array.from({ length: 10 }, (_, index) => taker(index)),
  ]);
  client.close();
}

function acknowledge(known: Acknowledged, write: { user: string; number: number; key: string; answer: Answer }): void {
  known.writes += 1;
  known.highest = Math.max(known.highest, write.number);
  known.seen.set(write.user, write.number);
  known.keyed.set(write.key, write.answer);
}

async function checkKept(url: string, known: Acknowledged, attempts: { writes: number; number: number }): Promise<void> {
  const client = createClient(url, 20);
  // A sample of the keys, always with the newest: they answer as the first time, and count nothing again.
  for (const [key, first] of [...known.keyed].slice(-40)) {
    const again = await client.post({
      path: '/write',
      body: { user: first.body.user, number: first.body.number },
      headers: { 'idempotency-key': key },
    });
    expect(again).toEqual(first);
  }
  const read = await client.post({ path: '/read', body: { user: 'nobody' } });
  expect(read.status).toBe(200);
  expect(read.body.count).toBeGreaterThanOrEqual(known.writes);
  expect(read.body.count).toBeLessThanOrEqual(attempts.writes);
  expect(Number(read.body.highest ?? 0)).toBeGreaterThanOrEqual(known.highest);
  for (const [user, number] of known.seen) {
    const { body } = await client.post({ path: '/read', body: { user } });
    // A later write may have been kept without its answer having arrived.
    expect((body.seen as { n: number }).n).toBeGreaterThanOrEqual(number);
  }
  expect(known.receipts.size).toBeLessThanOrEqual(10);
  client.close();
}

test('a restored backup freezes takes until recover, and no eleventh voucher is given out', () =>
  inTemporary(async (home) => {
    const data = join(home, 'data');
    const receipts = new Set<unknown>();
    const grab = async (count: number) => {
      const app = await startApp(['start', ledger, '--data', data], home);
      const client = createClient(app.url, 1);
      const answers: Answer[] = [];
      for (let index = 0; index < count; index += 1) answers.push(await client.post({ path: '/grab', body: {} }));
      for (const { body } of answers) if (body.ok === true) receipts.add(body.receipt);
      client.close();
      await app.stop();
      return answers;
    };
    await grab(3);
    await cp(data, join(home, 'backup'), { recursive: true });
    await grab(4);
    await cp(join(home, 'backup'), data, { recursive: true, force: true });
    const frozen = await grab(5);
    expect(frozen.map(({ body, status }) => [status, body.ok])).toEqual(frozen.map(() => [200, false]));
    expect(receipts.size).toBe(7);
    const plan = await runCli(['recover', '--data', data], home);
    expect(plan.code).toBe(0);
    const recovered = await runCli(['recover', '--data', data, '--write-off'], home);
    expect(recovered.output).toMatch(/7 unit\(s\) were written off/);
    await grab(20);
    console.log(`restored backup: frozen, then recovered; ${receipts.size} vouchers in all`);
    expect(receipts.size).toBeLessThanOrEqual(10);
  }));
