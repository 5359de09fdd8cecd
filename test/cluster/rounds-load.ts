/** Users who take, claim, give back and write at random, each at another process every time, and note down what they are told. */
import { performance } from 'node:perf_hooks';
import { nodeHost } from '../../src/node/host.ts';
import { mulberry } from '../node/backbone-bench.ts';
import type { Book, Take } from './rounds-book.ts';

/** Who can be asked at the moment: a process by its name, or nobody. */
export interface Place {
  readonly name: string;
  readonly url: string | null;
}

export interface LoadOptions {
  readonly seed: number;
  readonly book: Book;
  readonly places: () => readonly Place[];
  readonly users: number;
  /** The most that one take asks for. */
  readonly most: number;
}

export const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void nodeHost.after(delayMs, resolve));

/** Longer than anything that answers at all. */
const patienceMs = 5_000;

export interface Answer {
  /** null: none, or one that leaves open whether it was done. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

export async function post(url: string | null, path: string, body: unknown): Promise<Answer> {
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
}

/** Takes, and notes it down. What is answered because somebody could not be asked may have happened. */
export async function take(
  book: Book,
  place: Place,
  wanted: { readonly units: number; readonly key: string | null },
): Promise<Take> {
  const { units, key } = wanted;
  const askedMs = performance.now();
  const { body } = await (key === null ? post(place.url, '/grab', { amount: units }) : post(place.url, '/claim', { key }));
  const open = body === null || body.reason === 'unreachable' || body.reason === 'recovering';
  const receipt = body?.ok === true ? String(body.receipt) : null;
  const reason = typeof body?.reason === 'string' ? body.reason : null;
  const noted = { site: place.name, askedMs, toldMs: open ? null : performance.now(), units, key, receipt, reason };
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
    if (place.url === null) await pause(10);
    else if (what < 0.4) keep(receipts, await take(book, place, { units: 1 + below(most), key: null }));
    else if (what < 0.55) keep(receipts, await take(book, place, { units: 1, key: `key ${below(40)}` }));
    else if (what < 0.65 && receipts.length > 0) await give(book, place, receipts.splice(below(receipts.length), 1)[0] ?? '');
    else await write(book, place, { key: `user ${number}`, number: turn });
    await pause(2 + below(10));
  }
}

function keep(receipts: string[], { receipt }: Take): void {
  if (receipt !== null && !receipts.includes(receipt)) receipts.push(receipt);
}

async function give(book: Book, { name, url }: Place, receipt: string): Promise<void> {
  const given = { site: name, askedMs: performance.now(), toldMs: null as number | null, receipt };
  book.gives.push(given);
  const { body } = await post(url, '/give', { receipt });
  if (body?.ok === true) given.toldMs = performance.now();
}

/** One write of each kind. */
export async function write(
  book: Book,
  { name, url }: Place,
  { key, number }: { readonly key: string; readonly number: number },
): Promise<void> {
  const written = { site: name, askedMs: performance.now(), toldMs: null as number | null, key, number };
  book.writes.push(written);
  const { body } = await post(url, '/write', { key, number });
  if (body?.ok === true) written.toldMs = performance.now();
}
