/** One round on some ground: random load and faults, then all is healed, sold out, and judged by what users were told. */
import { type Book, heldBy, judgeGrants, judgeShown, leftOf } from './rounds-book.ts';
import { type Place, startUsers } from './rounds-load.ts';
import type { Fault, Round } from './rounds-plan.ts';
import { type Equality, type Reader, shownOf, untilEqual } from './rounds-shown.ts';
import { sellOut, soldWithinMs } from './rounds-stock.ts';

/** Where a round is played: on real processes, or in a simulated world. Times are the book's. */
export interface Ground {
  readonly book: Book;
  /** Whom users can ask, copies included. */
  places(): readonly Place[];
  /** The three sites. */
  sites(): readonly Place[];
  readers(): readonly Reader[];
  /** Resolves when it is over, or for one that lasts until all is healed when it has begun. */
  carryOut(fault: Fault): Promise<void>;
  /** Resolves when everything is reachable and every site answers. */
  heal(): Promise<void>;
  /** Second processes on copies end. */
  endCopies(): Promise<void>;
  say(line: string): void;
}

export interface Played {
  readonly problems: readonly string[];
  /** After all was healed, until all showed the same; null: never. */
  readonly equalMs: number | null;
  readonly soldMs: number;
  readonly unsold: number;
}

export const equalAnywayMs = 15_000;
const users = 12;
const keys = Array.from({ length: users }, (_, number) => `user ${number}`);
const soldShare = 0.999;

export async function playRound(ground: Ground, { seed, stock, faults }: Round): Promise<Played> {
  const { book } = ground;
  const { clock } = book;
  const load = startUsers({ seed, book, places: () => ground.places(), users, most: stock > 1_000 ? 4 : 2 });
  await Promise.all(faults.map((fault) => ground.carryOut(fault)));
  await clock.pause(300);
  await load.stop();
  await ground.heal();
  const healedMs = clock.nowMs();
  const equal = await untilEqual(ground.readers(), keys, { fromMs: healedMs, limitMs: equalAnywayMs, clock });
  // What a copy acknowledged last it may have kept to itself until now.
  await ground.endCopies();
  const rest = await untilEqual(ground.readers(), keys, { fromMs: clock.nowMs(), limitMs: equalAnywayMs, clock });
  const problems = [...judgeEquality(equal), ...judgeEquality(rest), ...judgeAll(book, rest, stock)];
  const granted = book.takes.filter(({ receipt }) => receipt !== null).length;
  ground.say(`${book.writes.length} writes, ${granted} of ${book.takes.length} takes granted, ${book.gives.length} given back`);
  const sale = await judgeSale(ground, stock, healedMs);
  ground.say(`equal after ${equal.tookMs} ms, ${sale.line}`);
  return { ...sale, equalMs: equal.tookMs, problems: [...problems, ...sale.problems] };
}

const judgeAll = (book: Book, { shown }: Equality, stock: number): string[] => [
  ...judgeGrants(book, stock),
  ...judgeShown(book, shownOf(shown[0] ?? new Map(), keys), stock),
];

const judgeEquality = ({ tookMs, last }: Equality): string[] =>
  tookMs !== null && tookMs <= equalAnywayMs
    ? []
    : [
        `C3: they showed the same ${tookMs === null ? 'never' : `only after ${tookMs} ms`}; what was different last: ${last.join('; ')}`,
      ];

/** The sale, and what all show afterwards. */
async function judgeSale(ground: Ground, stock: number, healedMs: number) {
  const { book } = ground;
  const { clock } = book;
  const soldMs = await sellOut(ground.sites(), book, { stock, fromMs: healedMs });
  const end = await untilEqual(ground.readers(), keys, { fromMs: clock.nowMs(), limitMs: equalAnywayMs, clock });
  const rows = shownOf(end.shown[0] ?? new Map(), keys).stock;
  const unsold = leftOf(rows, stock);
  const line = `the last one sold after ${soldMs} ms, ${unsold} unsold; held: ${JSON.stringify(heldBy(rows))}`;
  const problems = [...judgeEquality(end), ...judgeAll(book, end, stock)];
  // What a disk held that was set back stays locked until an operator writes it off.
  if (book.lost.length === 0 && unsold > stock * (1 - soldShare)) problems.push(`within ${soldWithinMs} ms: ${line}`);
  return { soldMs, unsold, line, problems };
}
