import { expect, test } from 'vitest';
import { expectShown, isOfSimulate, sections } from './console.ts';

const ofSimulate = [...sections].filter(isOfSimulate);

test('the page has commands', () => {
  expect(ofSimulate.length).toBeGreaterThan(2);
});

test.concurrent.each(ofSimulate)('the commands print what the page shows: %s', (_, inSection) => expectShown(inSection));
