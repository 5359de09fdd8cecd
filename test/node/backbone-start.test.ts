import { expect, test } from 'vitest';
import { createLoopback } from '../../src/backbone/index.ts';
import { CffbrwError } from '../../src/error.ts';
import { startingBackbone } from '../../src/node/backbone-start.ts';
import { nodeHost } from '../../src/node/host.ts';

test('a backbone that did not answer is asked nothing more until the start is over', async () => {
  const loopback = createLoopback({ host: nodeHost });
  const silent = new CffbrwError('UNREACHABLE', 'nobody answered');
  const { backbone, started } = startingBackbone(loopback.connect('fra'), silent);
  const questions = [
    () => backbone.identity(),
    () => backbone.now(),
    () => backbone.latest('fra.1'),
    () => backbone.registers.get('members'),
    () => backbone.registers.compareAndSet('members', '', null),
  ];
  for (const question of questions) await expect(question()).rejects.toBe(silent);
  started();
  await Promise.all(questions.map((question) => question()));
  await loopback.close();
});

test('one that answered is asked as ever', async () => {
  const loopback = createLoopback({ host: nodeHost });
  const { backbone } = startingBackbone(loopback.connect('fra'), null);
  expect(await backbone.registers.get('members')).toMatchObject({ value: null });
  await loopback.close();
});
