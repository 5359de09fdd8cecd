/** Users who take, claim, give back and write at random, each at another process every time, and note down what they are told. */
import { mulberry } from '../node/backbone-bench.ts';
import type { Book, Take } from './rounds-book.ts';

export type Post = (path: string, body: Readonly<Record<string, unknown>>) => Promise<Answer>;

/** Whom users can ask at the moment. */
export interface Place {
  readonly name: string;
  /** null: it does not run. */
  readonly post: Post | null;
}

export interface LoadOptions {
  readonly seed: number;
  readonly book: Book;
  readonly places: () => readonly Place[];
  readonly users: number;
  /** The most that one take asks for. */
  readonly most: number;
}

/** Longer than anything that answers at all. */
export const patienceMs = 5_000;

export interface Answer {
  /** null: none, or one that leaves open whether it was done. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

/** A process at this address. */
export const placeAt = (name: string, url: string | null): Place => ({ name, post: url === null ? null : postTo(url) });

const postTo =
  (url: string): Post =>
  async (path, body) => {
    try {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(patienceMs),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      return { body: response.status === 200 ? answer : null };
    } catch {
      return { body: null };
    }
  };

const post = async (place: Place, path: string, body: Readonly<Record<string, unknown>>): Promise<Answer> =>
  place.post === null ? { body: null } : place.post(path, body);

/** Takes, and notes it down. What is answered because somebody could not be asked may have happened. */
export async function take(
  book: Book,
  place: Place,
  wanted: { readonly units: number; readonly key: string | null },
): Promise<Take> {
  const { units, key } = wanted;
  const askedMs = book.clock.nowMs();
  const { body } = await (key === null ? post(place, '/grab', { amount: units }) : post(place, '/claim', { key }));
  const open = body === null || body.reason === 'unreachable' || body.reason === 'recovering';
  const receipt = body?.ok === true ? String(body.receipt) : null;
  const reason = typeof body?.reason === 'string' ? body.reason : null;
  const noted = { site: place.name, askedMs, toldMs: open ? null : book.clock.nowMs(), units, key, receipt, reason };
  book.takes.push(noted);
  return noted;
}

/** Resolves once all users have had their last answer. */
export function startUsers(options: LoadOptions): { stop(): Promise<void> } {
  const state = { stopped: false };
  const users = Array.from({ length: options.users }, (_, number) => beUser(options, number, state));
  return {
    async stop() {
      state.stopped = true;
      await Promise.all(users);
    },
  };
}

async function beUser(
  { seed, book, places, most }: LoadOptions,
  number: number,
  state: { readonly stopped: boolean },
): Promise<void> {
  const random = mulberry(seed * 1_000 + number);
  const below = (limit: number) => Math.floor(random() * limit);
  const receipts: string[] = [];
  for (let turn = 1; !state.stopped; turn += 1) {
    const all = places();
    const place = all[below(all.length)] as Place;
    const what = random();
    if (place.post === null) await book.clock.pause(10);
    else if (what < 0.4) keep(receipts, await take(book, place, { units: 1 + below(most), key: null }));
    else if (what < 0.55) keep(receipts, await take(book, place, { units: 1, key: `key ${below(40)}` }));
    else if (what < 0.65 && receipts.length > 0) await give(book, place, receipts.splice(below(receipts.length), 1)[0] ?? '');
    else await write(book, place, { key: `user ${number}`, number: turn });
    await book.clock.pause(2 + below(10));
  }
}

function keep(receipts: string[], { receipt }: Take): void {
  if (receipt !== null && !receipts.includes(receipt)) receipts.push(receipt);
}

async function give(book: Book, place: Place, receipt: string): Promise<void> {
  const given = { site: place.name, askedMs: book.clock.nowMs(), toldMs: null as number | null, receipt };
  book.gives.push(given);
  const { body } = await post(place, '/give', { receipt });
  if (body?.ok === true) given.toldMs = book.clock.nowMs();
}

/** One write of each kind. */
export async function write(
  book: Book,
  place: Place,
  { key, number }: { readonly key: string; readonly number: number },
): Promise<void> {
  const written = { site: place.name, askedMs: book.clock.nowMs(), toldMs: null as number | null, key, number };
  book.writes.push(written);
  const { body } = await post(place, '/write', { key, number });
  if (body?.ok === true) written.toldMs = book.clock.nowMs();
}
