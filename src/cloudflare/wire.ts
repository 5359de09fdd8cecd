/** What a region and the hub say to each other, as JSON: several questions at once, one answer each. */

import type { Register } from '../backbone/backbone.ts';
import { CffbrwError } from '../error.ts';
import type { StoredRow } from '../store/store.ts';

/** Requests between objects carry it, and say with it what they are; the Worker lets none in that a client sent. */
export const objectHeader = 'cffbrw-object';

/** How far somebody has seen the hub: what must still be there later. */
export interface Mark {
  readonly identity: string;
  /** The start of the hub in which it was seen. */
  readonly boot: string;
  /** How many transactions the hub had made. */
  readonly number: number;
}

export type Question =
  | { readonly ask: 'identity' }
  | { readonly ask: 'get'; readonly name: string }
  | { readonly ask: 'swap'; readonly name: string; readonly value: string | null; readonly revision: string | null }
  | { readonly ask: 'latest'; readonly replica: string }
  | { readonly ask: 'decide'; readonly claim: string }
  | { readonly ask: 'since'; readonly replica: string; readonly version: number }
  /** `urgent`: somebody waits for an answer to these rows. */
  | { readonly ask: 'publish'; readonly rows: readonly StoredRow[]; readonly urgent: boolean }
  | { readonly ask: 'forget'; readonly addresses: readonly string[] }
  /** These regions are to tell again how they declare their variables. */
  | { readonly ask: 'wake'; readonly regions: readonly string[] }
  | { readonly ask: 'after'; readonly cursor: string | null };

export interface Answers {
  readonly identity: string;
  readonly get: Register;
  readonly swap: { readonly done: boolean; readonly register: Register };
  readonly latest: number;
  readonly decide: string;
  readonly since: readonly StoredRow[];
  readonly publish: null;
  readonly forget: null;
  readonly wake: null;
  readonly after: Page;
}

export interface Page {
  /** The hub's identity in which they were kept. */
  readonly identity: string;
  readonly rows: readonly StoredRow[];
  readonly from: string;
  readonly to: string;
  /** Whether these were the last. */
  readonly last: boolean;
}

export interface Questions {
  /** The region that asks. */
  readonly from: string;
  /** Milliseconds since somebody asked that region for something: whether it wants to be told of changes. */
  readonly idleMs: number;
  /** It wants to be told however idle it is: somebody reads its events. */
  readonly watching: boolean;
  readonly mark: Mark | null;
  readonly questions: readonly Question[];
}

export interface Answered {
  readonly mark: Mark;
  readonly nowMs: number;
  readonly answers: readonly Answers[keyof Answers][];
}

/** What the hub tells a region. */
export interface Push {
  readonly mark: Mark;
  readonly page: Page;
}

export const objectRequest = (kind: string, content: unknown): Request =>
  new Request('http://object/', { method: 'POST', headers: { [objectHeader]: kind }, body: JSON.stringify(content) });

export async function objectAnswer<Content>(response: Response): Promise<Content> {
  if (response.status === 200) return (await response.json()) as Content;
  throw new CffbrwError('UNREACHABLE', `an object answered ${response.status}`);
}
