import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createClient, inParallel, readEvents } from './load.ts';
import { inTemporary, type RunningApp, startApp } from './process.ts';

const wheel = join(import.meta.dirname, '../../examples/wheel');

/** 5,000 spins by 2,000 users, 100 at a time. */
async function spinAll(app: RunningApp) {
  const client = createClient(app.url, 100);
  const answers = await inParallel(5_000, 100, (index) =>
    client.post({ path: '/wheel/spin', body: { user: `user-${(index * 7) % 2_000}` } }),
  );
  client.close();
  return { answers, codes: new Set(answers.filter(({ body }) => body.won === true).map(({ body }) => body.code)) };
}

test('5,000 spins by 2,000 users against start: exactly ten vouchers, and every accepted spin counted', () =>
  inTemporary(async (home) => {
    const app = await startApp(['start', wheel, '--data', join(home, 'data')], home);
    const { answers, codes } = await spinAll(app);
    const { spins, vouchers } = await readEvents(app.url, ['spins', 'vouchers']);
    expect(await app.stop()).toBe(0);
    const accepted = answers.filter(({ status }) => status === 200).length;
    console.log(`start: ${codes.size} distinct codes, ${accepted} accepted, spins ${String(spins)}, left ${String(vouchers)}`);
    expect([codes.size, accepted, spins, vouchers]).toEqual([10, 5_000, 5_000, 0]);
  }));

test('five replicas with 2 s lag: never more than ten, and all ten given out', () =>
  inTemporary(async (home) => {
    const data = join(home, 'data');
    const app = await startApp(['dev', wheel, '--data', data, '--replicas', '5', '--lag', '2s', '--rtt', '50ms'], home);
    const { answers, codes } = await spinAll(app);
    const more = await spinAll(app);
    expect(await app.stop()).toBe(0);
    const all = new Set([...codes, ...more.codes]);
    console.log(
      `five replicas, 2 s lag: ${all.size} distinct codes, ${answers.filter(({ status }) => status === 200).length} accepted of 5,000`,
    );
    expect(all.size).toBe(10);
  }));

test.each([
  'last-write-wins',
  'sum-increments',
  'max-value',
])('five replicas with 2 s lag: the %s version gives out more than ten', (version) =>
  inTemporary(async (home) => {
    const app = await startApp(
      ['dev', join(wheel, 'broken', version), '--data', join(home, 'data'), '--replicas', '5', '--lag', '2s'],
      home,
    );
    const { codes } = await spinAll(app);
    await app.stop();
    console.log(`five replicas, 2 s lag, ${version}: ${codes.size} vouchers given out`);
    expect(codes.size).toBeGreaterThan(10);
  }));
