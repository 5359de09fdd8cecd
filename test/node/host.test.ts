import { expect, test } from 'vitest';
import { drain, nodeHost } from '../../src/node/host.ts';

test('an id is 32 hexadecimal digits, and never the same', () => {
  const ids = Array.from({ length: 1000 }, () => nodeHost.id());
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('a task after 0 runs behind every microtask, and drain waits for those', async () => {
  const order: string[] = [];
  nodeHost.after(0, () => order.push('task'));
  void Promise.resolve().then(() => order.push('microtask'));
  await drain();
  expect(order).toEqual(['microtask', 'task']);
});

test('a cancelled task does not run, and one with a delay beyond what timers hold does not run at once', async () => {
  const ran: string[] = [];
  nodeHost.after(0, () => ran.push('cancelled'))();
  nodeHost.after(1, () => ran.push('cancelled later'))();
  const cancel = nodeHost.after(2 ** 31, () => ran.push('in 25 days'));
  await new Promise<void>((resolve) => nodeHost.after(2, resolve));
  expect(ran).toEqual([]);
  cancel();
});
