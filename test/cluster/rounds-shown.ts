/** What replicas show: the rows of every address as the admin API has them, and when all show the same. */
import type { BoundedRow } from '../../src/strategy/bounded-counter.ts';
import { canonical, type Json } from '../../src/strategy/json.ts';
import type { Site } from './cluster.ts';
import type { Shown } from './rounds-book.ts';
import { type Clock, realClock } from './rounds-clock.ts';

export interface Value {
  readonly value: unknown;
  readonly rows: readonly { readonly replica: string; readonly version: number; readonly row: unknown }[];
}

const single = ['stock', 'count', 'highest'] as const;
const keyed = ['note', 'seen'] as const;

/** By the path in the admin API. */
export type Everything = ReadonlyMap<string, Value>;

/** A replica that somebody looks at. */
export interface Reader {
  readonly name: string;
  read(path: string): Promise<Value>;
}

export const readerOf = (site: Site): Reader => ({
  name: site.name,
  async read(path) {
    const { status, body } = await site.admin(`/v1/variables/${path}${path.includes('?') ? '&' : '?'}rows=true`);
    if (status !== 200) throw new Error(`${site.name} does not show ${path}: ${JSON.stringify(body)}`);
    return body as unknown as Value;
  },
});

const pathOf = (name: string, key: string): string => `${name}?key=${encodeURIComponent(key)}`;

async function readEverything(reader: Reader, keys: readonly string[]): Promise<Everything> {
  const paths = [...single, ...keyed.flatMap((name) => keys.map((key) => pathOf(name, key)))];
  const values = await Promise.all(
    paths.map(async (path): Promise<readonly [string, Value]> => {
      const { value, rows } = await reader.read(path);
      return [path, { value, rows: [...rows].sort((a, b) => (a.replica < b.replica ? -1 : 1)) }];
    }),
  );
  return new Map(values);
}

/** As it is stored and sent: what is read from a store has its members in another order than what was just written. */
const bytesOf = (value: unknown): string => canonical(value as Json);
const textOf = (everything: Everything): string => bytesOf([...everything]);

export interface Equality {
  /** Milliseconds until all showed the same bytes; null: not within the limit. */
  readonly tookMs: number | null;
  readonly shown: readonly Everything[];
  /** What was different last. */
  readonly last: readonly string[];
}

export async function untilEqual(
  readers: readonly Reader[],
  keys: readonly string[],
  { fromMs, limitMs, clock = realClock }: { readonly fromMs: number; readonly limitMs: number; readonly clock?: Clock },
): Promise<Equality> {
  for (let last: readonly string[] = []; ; ) {
    const shown = await Promise.all(readers.map((reader) => readEverything(reader, keys)));
    const tookMs = Math.round(clock.nowMs() - fromMs);
    if (new Set(shown.map(textOf)).size === 1) return { tookMs, shown, last };
    last = differencesOf(readers, shown);
    if (tookMs > limitMs) return { tookMs: null, shown, last };
    await clock.pause(20);
  }
}

/** Which rows differ, and by their versions who lacks what. */
function differencesOf(readers: readonly Reader[], shown: readonly Everything[]): string[] {
  return [...(shown[0]?.keys() ?? [])].flatMap((path) => {
    const rows = shown.map((everything) => new Map(everything.get(path)?.rows.map((row) => [row.replica, row])));
    const replicas = new Set(rows.flatMap((of) => [...of.keys()]));
    return [...replicas].flatMap((replica) => {
      const texts = rows.map((of) => bytesOf(of.get(replica) ?? null));
      if (new Set(texts).size === 1) return [];
      const versions = rows.map((of, index) => `${of.get(replica)?.version ?? 'nothing'} at ${readers[index]?.name}`);
      return [`${path}: the row of ${replica} is ${versions.join(', ')}`];
    });
  });
}

export function shownOf(everything: Everything, keys: readonly string[]): Shown {
  const value = (path: string) => everything.get(path)?.value;
  const perKey = <Kind>(name: string) => new Map(keys.map((key) => [key, value(pathOf(name, key)) as Kind]));
  const stock = (everything.get('stock')?.rows ?? []) as readonly { readonly replica: string; readonly row: BoundedRow }[];
  return {
    stock: new Map(stock.map(({ replica, row }) => [replica, row])),
    count: Number(value('count')),
    highest: Number((value('highest') as { value: number | null }).value ?? 0),
    notes: perKey('note'),
    seen: perKey<Record<string, unknown>>('seen'),
  };
}
