/** What the store's cases share: short rows, and names that break stores. */
import type { Store, StoredRecord, StoredRow } from '../store/store.ts';
import { same } from './contract.ts';

export const row = (address: string, replica: string, version: number, bytes = `{"v":${version}}`): StoredRow => ({
  address,
  replica,
  version,
  bytes,
});

export const record = (name: string, value: string | null = name): StoredRecord => ({ name, value });

/** A row without regard to the order of its fields. */
export const plain = ({ address, replica, version, bytes }: StoredRow): unknown => [address, replica, version, bytes];

export async function holds(store: Store, address: string, expected: readonly StoredRow[], what: string): Promise<void> {
  const [rows = []] = await store.load([address]);
  same(rows.map(plain), expected.map(plain), what);
}

export async function listed(found: Promise<readonly string[]>, expected: readonly string[], what: string): Promise<void> {
  same(await found, expected, what);
}

export const names = async (store: Store, page: Parameters<Store['records']>[0]): Promise<readonly string[]> =>
  (await store.records(page)).map(({ name }) => name);

/** In the order of their code units. In UTF-8, the order of the last two is the other way round; the lone surrogates have none. */
export const hostileNames: readonly string[] = [
  '',
  '\u0000',
  '\u0000a',
  '\u0001',
  '\u0001a',
  ' ',
  '"',
  '%',
  "'; DROP TABLE rows; --",
  '*',
  'A',
  '_',
  '__proto__',
  'a',
  'a\u0000b',
  'constructor',
  'ä',
  '漢字',
  '\ud7ff',
  '\ud800',
  '\ud83c',
  '😀',
  '😀a',
  '😀\ud83d',
  '\udfff',
  '\ue000',
  '\uffff',
];

export const shownName = (name: string): string => JSON.stringify(name);
