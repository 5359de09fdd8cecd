/** What users asked in a round, what they were told, and what must be true of the replicas because of it. */
import { rightsOf } from '../../src/replica/bank/rights.ts';
import type { BoundedRow } from '../../src/strategy/bounded-counter.ts';
import { type Clock, realClock } from './rounds-clock.ts';

interface Act {
  /** The process that was asked. */
  readonly site: string;
  readonly askedMs: number;
  /** null: no answer, or one that leaves it open. */
  readonly toldMs: number | null;
}

export interface Take extends Act {
  readonly units: number;
  /** Of a take that is once per key. */
  readonly key: string | null;
  /** null: not granted, as far as is known. */
  readonly receipt: string | null;
  /** Why not. */
  readonly reason: string | null;
}

export interface Give extends Act {
  readonly receipt: string;
}

/** One of each: an increment, a note by its key, a field, an offer. */
export interface Write extends Act {
  readonly key: string;
  readonly number: number;
}

export interface Book {
  /** By which all times in it are. */
  readonly clock: Clock;
  readonly takes: Take[];
  readonly gives: Give[];
  readonly writes: Write[];
  /** What a disk that was set back may have lost: acknowledged there in this time. */
  readonly lost: { readonly site: string; readonly fromMs: number; readonly untilMs: number }[];
}

export const openBook = (clock: Clock = realClock): Book => ({ clock, takes: [], gives: [], writes: [], lost: [] });

/** What a replica shows. */
export interface Shown {
  readonly stock: ReadonlyMap<string, BoundedRow>;
  readonly count: number;
  readonly highest: number;
  readonly notes: ReadonlyMap<string, unknown>;
  readonly seen: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

const sum = <Item>(items: Iterable<Item>, of: (item: Item) => number): number => {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
};

/** Told, and not on a disk that was set back. */
const isKept = ({ lost }: Book, { site, toldMs }: Act): boolean =>
  toldMs !== null && !lost.some((one) => one.site === site && toldMs >= one.fromMs && toldMs <= one.untilMs);

/** Every grant that anybody was told of, once. */
function grantsOf({ takes }: Book): ReadonlyMap<string, Take> {
  const grants = new Map<string, Take>();
  for (const take of takes) if (take.receipt !== null && !grants.has(take.receipt)) grants.set(take.receipt, take);
  return grants;
}

/** C2, whatever has happened: never more than there is, and at most one live grant per key. */
export function judgeGrants(book: Book, stock: number): string[] {
  const grants = grantsOf(book);
  const given = new Map<string, number>();
  for (const { receipt, askedMs } of book.gives) given.set(receipt, Math.min(askedMs, given.get(receipt) ?? askedMs));
  const granted = sum(grants.values(), ({ units }) => units);
  const back = sum(given.keys(), (receipt) => grants.get(receipt)?.units ?? 0);
  const problems = granted - back > stock ? [`C2: ${granted} units granted, at most ${back} given back, of ${stock}`] : [];
  const keyed = [...grants.values()].filter(({ key }) => key !== null);
  for (const [index, one] of keyed.entries())
    for (const other of keyed.slice(index + 1))
      if (one.key === other.key && !hasMadeRoom(given, one, other) && !hasMadeRoom(given, other, one))
        problems.push(`C2: ${one.key} has two grants: ${tellKey(book, one.key)}`);
  return [...problems, ...judgeGiven(book)];
}

/** What was given back is nobody's any more. */
function judgeGiven(book: Book): string[] {
  const { gives, takes } = book;
  const back = new Map(gives.flatMap(({ receipt, toldMs }) => (toldMs === null ? [] : [[receipt, toldMs] as const])));
  return takes
    .filter(({ receipt, askedMs }) => (back.get(receipt ?? '') ?? Number.POSITIVE_INFINITY) < askedMs)
    .map(({ key, receipt }) => `C5: ${nameOf(receipt)} was given back, and granted again after that: ${tellKey(book, key)}`);
}

/** Everything that was asked about a key, for who looks into it. */
function tellKey({ takes, gives }: Book, key: string | null): string {
  const claims = takes.filter((take) => take.key === key);
  const receipts = new Set(claims.map(({ receipt }) => receipt));
  const acts = [
    ...claims.map((take) => ({
      ...take,
      what: `claim: ${take.receipt === null ? (take.reason ?? 'no answer') : nameOf(take.receipt)}`,
    })),
    ...gives.filter(({ receipt }) => receipts.has(receipt)).map((give) => ({ ...give, what: `give ${nameOf(give.receipt)}` })),
  ].sort((a, b) => a.askedMs - b.askedMs);
  const time = (ms: number | null) => (ms === null ? '?' : Math.round(ms));
  return acts.map(({ site, askedMs, toldMs, what }) => `${time(askedMs)}–${time(toldMs)} ${site} ${what}`).join('; ');
}

const nameOf = (receipt: string | null): string => receipt?.slice(0, 6) ?? '';

/** The first was given back before the second was told. */
const hasMadeRoom = (given: ReadonlyMap<string, number>, first: Take, second: Take): boolean =>
  (given.get(first.receipt ?? '') ?? Number.POSITIVE_INFINITY) <= (second.toldMs ?? 0);

/** C1 and C2 of one replica, once all are equal. */
export function judgeShown(book: Book, shown: Shown, stock: number): string[] {
  return [
    ...judgeStock(book, shown.stock, stock),
    ...judgeCount(book, shown),
    ...[...keysOf(book)].flatMap((key) => judgeKey(book, shown, key)),
  ];
}

const keysOf = ({ writes }: Book): ReadonlySet<string> => new Set(writes.map(({ key }) => key));

function judgeStock(book: Book, rows: Shown['stock'], stock: number): string[] {
  const taken = sum(rows.values(), (row) => row.taken);
  const given = sum(rows.values(), (row) => row.given);
  const kept = sum(
    [...grantsOf(book).values()].filter((take) => isKept(book, take)),
    ({ units }) => units,
  );
  const open = sum(
    book.takes.filter(({ toldMs }) => toldMs === null),
    ({ units }) => units,
  );
  const asked = sum(grantsOf(book).values(), ({ units }) => units) + open;
  return [
    // What a disk that was set back had given back may stand in no row, and is rightly sold again: then only users can tell (judgeGrants).
    ...(book.lost.length === 0 && taken - given > stock
      ? [`C2: the rows show ${taken} taken and ${given} given, of ${stock}`]
      : []),
    ...(taken < kept ? [`C1: ${kept} units were granted, and the rows show ${taken} taken`] : []),
    ...(taken - given > asked
      ? [`C5: at most ${asked} units were granted, and the rows show ${taken} taken, ${given} given`]
      : []),
  ];
}

function judgeCount(book: Book, { count, highest }: Shown): string[] {
  const kept = book.writes.filter((write) => isKept(book, write));
  const best = Math.max(0, ...kept.map(({ number }) => number));
  return [
    ...(count < kept.length ? [`C1: ${kept.length} increments were acknowledged, and the count is ${count}`] : []),
    ...(count > book.writes.length ? [`C5: ${book.writes.length} increments were asked for, and the count is ${count}`] : []),
    ...(highest < best ? [`C1: ${best} was acknowledged, and the highest is ${highest}`] : []),
  ];
}

/** Writes of a key are one after the other: the last one shows, or one whose outcome nobody knew. */
function judgeKey(book: Book, { notes, seen }: Shown, key: string): string[] {
  const writes = book.writes.filter((write) => write.key === key);
  const kept = writes.filter((write) => isKept(book, write));
  const last = kept.at(-1)?.number ?? 0;
  const note = notes.get(key) ?? 0;
  const isPossible = writes.some((write) => write.number === note && (write.number >= last || !isKept(book, write)));
  const missing = kept.filter(({ number }) => seen.get(key)?.[number] !== true);
  return [
    ...(isPossible || note === last ? [] : [`C1: the last note of ${key} is ${last}, and ${String(note)} shows`]),
    ...(missing.length === 0 ? [] : [`C1: ${missing.length} fields of ${key} are missing, ${missing[0]?.number} first`]),
  ];
}

/** Units that could still be sold: not by incarnations whose disk is another one now. */
export const leftOf = (rows: Shown['stock'], stock: number): number =>
  stock - sum(rows.values(), ({ taken, given }) => taken - given);

/** Units that each incarnation may sell by itself. */
export const heldBy = (rows: Shown['stock']): Readonly<Record<string, number>> =>
  Object.fromEntries([...rows].map(([replica, row]) => [replica, rightsOf(row)] as const).filter(([, units]) => units > 0));
