import { expect, test } from 'vitest';
import { createLocalRegisters, keptInMemory } from '../../../src/replica/bank/registers.ts';
import type { Ledger } from '../../../src/replica/ledger.ts';

/** A ledger that has these records and forgets them at once, as a full memory would. */
function ledgerOver(records: ReadonlyMap<string, string>) {
  const asked = { pages: 0, records: 0 };
  const names = [...records.keys()].sort();
  const ledger = {
    generation: 0,
    peekRecord: () => undefined,
    async loadRecord(name: string) {
      asked.records += 1;
      return records.get(name) ?? null;
    },
    async page(prefix: string, after: string) {
      asked.pages += 1;
      const found = names.filter((name) => name.startsWith(prefix) && name > after).slice(0, 20_000);
      return found.map((name) => ({ name, value: records.get(name) ?? '' }));
    },
    putRecord() {},
  };
  return { asked, ledger: ledger as unknown as Ledger };
}

const recordsOf = (count: number) =>
  new Map(Array.from({ length: count }, (_, key) => [`register/once/stock/${String(key).padStart(7, '0')}`, `grant ${key}`]));

test('of few keys all are in memory, so that what is not there is known without asking', async () => {
  const { ledger, asked } = ledgerOver(recordsOf(10));
  const registers = createLocalRegisters(ledger, false);
  await registers.prepare('once/stock/new', 'once/stock/');
  expect(registers.prepare('once/stock/other', 'once/stock/')).toBeUndefined();
  expect(registers.peek('once/stock/other', 'once/stock/')).toEqual({ value: null });
  expect(registers.peek('once/stock/0000003', 'once/stock/')).toEqual({ value: 'grant 3' });
  expect(asked.records).toBe(0);
});

test('of more keys than fit each is loaded alone, and each answer is right', async () => {
  const { ledger, asked } = ledgerOver(recordsOf(keptInMemory + 50));
  const registers = createLocalRegisters(ledger, false);
  for (const key of [keptInMemory + 49, 0, keptInMemory + 7]) {
    const name = `once/stock/${String(key).padStart(7, '0')}`;
    await registers.prepare(name, 'once/stock/');
    expect(registers.peek(name, 'once/stock/')).toEqual({ value: `grant ${key}` });
  }
  await registers.prepare('once/stock/new', 'once/stock/');
  expect(registers.peek('once/stock/new', 'once/stock/')).toEqual({ value: null });
  expect(registers.peek('once/stock/other', 'once/stock/')).toBeUndefined();
  expect(asked.pages).toBeLessThan(10); // once through them, and never again
});

test('keys that come one by one until they are too many are not taken for free ones', async () => {
  const { ledger } = ledgerOver(new Map([['register/once/stock/0', 'grant 0']]));
  const registers = createLocalRegisters(ledger, false);
  await registers.prepare('once/stock/0', 'once/stock/');
  for (let key = 1; key <= keptInMemory; key += 1) registers.put(`once/stock/${key}`, 'x');
  expect(registers.peek('once/stock/0', 'once/stock/')).toBeUndefined();
  await registers.prepare('once/stock/0', 'once/stock/');
  expect(registers.peek('once/stock/0', 'once/stock/')).toEqual({ value: 'grant 0' });
});
