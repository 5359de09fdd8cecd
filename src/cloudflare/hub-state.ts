/**
 * What the hub keeps: the latest row of each address and replica, registers, and its identity. Registers are read where they lie; rows are in
 * memory, too, in the order in which they came.
 *
 * Every question is answered in one synchronous block, and no answer leaves before all that it may show is durable.
 *
 * Invariants: B2 to B6 of backbone/backbone.ts. On B5: each start is noted with how many transactions there had been. Whoever saw the hub says
 * in which start that was and how many there were then. A start that is missing, or one that was followed by a start with fewer, is a loss:
 * the storage was set back.
 */
import type { Register } from '../backbone/backbone.ts';
import { createFeed, type Feed } from '../backbone/feed.ts';
import type { Host } from '../host.ts';
import { decideClaim } from '../replica/identity/claim.ts';
import { membersRegister } from '../replica/identity/members.ts';
import type { StoredRecord, StoredRow } from '../store/store.ts';
import type { ObjectTables } from './store.ts';
import type { Answers, Mark, Page, Question } from './wire.ts';

export interface HubState {
  readonly mark: Mark;
  /** How far rows have come; a subscriber's cursor is behind it while there is more. */
  readonly end: string;
  answer(question: Question): Answers[keyof Answers];
  /** Regions that want to be told however idle they are. */
  readonly watchers: ReadonlySet<string>;
  watch(region: string, watching: boolean): void;
  /** The rows after a cursor; one of another start gives everything. */
  after(cursor: string | null): Page;
  /** Writes what the answers since the last time changed, in one transaction. When it throws, this state must not be used any more. */
  flush(): void;
  /** Takes note of what somebody has seen. True: it was more than there is, so this is another hub from now on. */
  isLess(seen: Mark | null): boolean;
}

interface Boot {
  readonly boot: string;
  readonly number: number;
}

interface Starts {
  readonly format: 1;
  readonly identity: string;
  /** The oldest of many are left out. */
  readonly boots: readonly Boot[];
  readonly dropped: number;
}

interface Written {
  readonly value: string;
  readonly token: string;
}

const startsName = 'starts';
const registerPrefix = 'register/';
/** The highest version of a replica, written before a row of it is forgotten. */
const versionPrefix = 'version/';
const watcherPrefix = 'watcher/';
const keptBoots = 1_000;
/** A region that wakes fetches all of them: few questions, each below the length. */
const pageRows = 4_000;
const pageLength = 1_000_000;

export function openHubState(host: Host, tables: ObjectTables): HubState {
  let starts = begin(host, tables);
  const epoch = host.id();
  const feed = readFeed(tables);
  const watchers = new Set(tables.records({ prefix: watcherPrefix }).map(({ name }) => name.slice(watcherPrefix.length)));
  const boot = starts.boots.at(-1)?.boot ?? '';
  const cursorAt = (place: number): string => `${epoch}.${place}`;
  let rowsToWrite: StoredRow[] = [];
  const toWrite = new Map<string, string | null>();

  const after = (cursor: string | null): Page => {
    const [ofEpoch, text] = cursor?.split('.') ?? [];
    const place = ofEpoch === epoch ? Number(text) : 0;
    const { rows, end } = cut(feed, place);
    return { identity: starts.identity, rows, from: cursorAt(place), to: cursorAt(end), last: end >= feed.end };
  };
  const registerOf = (written: Written | null): Register => ({
    value: written?.value ?? null,
    revision: `${starts.identity}.${written?.token ?? ''}`,
    identity: starts.identity,
  });
  const get = (name: string): Register => {
    const text = toWrite.get(registerPrefix + name);
    return registerOf(parseWritten(text === undefined ? tables.record(registerPrefix + name) : text));
  };
  const write = (name: string, value: string | null): Written | null => {
    const written = value === null ? null : { value, token: host.id() };
    toWrite.set(registerPrefix + name, written === null ? null : JSON.stringify(written));
    return written;
  };
  const swap = ({ name, value, revision }: Extract<Question, { ask: 'swap' }>): Answers['swap'] => {
    const found = get(name);
    if (found.revision !== (revision ?? registerOf(null).revision)) return { done: false, register: found };
    return { done: true, register: registerOf(write(name, value)) };
  };
  const decide = (claim: string): string =>
    decideClaim(claim, {
      identity: starts.identity,
      members: get(membersRegister).value,
      latest: feed.latest,
      write: (value) => write(membersRegister, value),
    });
  const publish = (rows: readonly StoredRow[]): null => {
    const better = feed.better(rows);
    for (const row of better) feed.put(row, 0);
    rowsToWrite.push(...better);
    return null;
  };
  const flush = (): void => {
    if (rowsToWrite.length === 0 && toWrite.size === 0) return;
    tables.commit(
      rowsToWrite,
      [...toWrite].map(([name, value]) => ({ name, value })),
    );
    rowsToWrite = [];
    toWrite.clear();
  };
  const forget = (addresses: readonly string[]): null => {
    const versions = [...feed.versions()].map(([replica, version]) => ({
      name: versionPrefix + replica,
      value: String(version),
    }));
    for (const { name, value } of versions) toWrite.set(name, value);
    flush();
    tables.forget(addresses);
    feed.forget(addresses);
    return null;
  };

  return {
    get mark() {
      return { identity: starts.identity, boot, number: tables.number };
    },
    get end() {
      return cursorAt(feed.end);
    },
    after,
    flush,
    watchers,
    watch(region, watching) {
      if (watchers.has(region) === watching) return;
      toWrite.set(watcherPrefix + region, watching ? '' : null);
      if (watching) watchers.add(region);
      else watchers.delete(region);
    },
    isLess(seen) {
      if (seen === null || seen.identity !== starts.identity || !isLost(starts, tables.number, seen)) return false;
      starts = { ...starts, identity: host.id() };
      tables.commit([], [storeStarts(starts)]);
      return true;
    },
    answer(question) {
      switch (question.ask) {
        case 'identity':
          return starts.identity;
        case 'get':
          return get(question.name);
        case 'swap':
          return swap(question);
        case 'decide':
          return decide(question.claim);
        case 'latest':
          return feed.latest(question.replica);
        case 'since':
          return tables.since(question.replica, question.version, pageRows);
        case 'publish':
          return publish(question.rows);
        case 'forget':
          return forget(question.addresses);
        case 'wake':
          return null;
        case 'after':
          return after(question.cursor);
      }
    },
  };
}

const storeStarts = (starts: Starts): StoredRecord => ({ name: startsName, value: JSON.stringify(starts) });

/** Notes this start. */
function begin(host: Host, tables: ObjectTables): Starts {
  const text = tables.record(startsName);
  const before: Starts = text === null ? { format: 1, identity: host.id(), boots: [], dropped: 0 } : (JSON.parse(text) as Starts);
  const boots = [...before.boots, { boot: host.id(), number: tables.number + 1 }];
  const dropped = Math.max(0, boots.length - keptBoots);
  const starts = { ...before, boots: boots.slice(dropped), dropped: before.dropped + dropped };
  tables.commit([], [storeStarts(starts)]);
  return starts;
}

function isLost({ boots, dropped }: Starts, number: number, seen: Mark): boolean {
  const at = boots.findIndex(({ boot }) => boot === seen.boot);
  // A start that is so long ago that it is not kept any more is no proof of anything.
  if (at < 0) return dropped === 0 || seen.number >= (boots[0]?.number ?? 0);
  return seen.number >= (boots[at + 1]?.number ?? number + 1);
}

const parseWritten = (text: string | null): Written | null => (text === null ? null : (JSON.parse(text) as Written));

function readFeed(tables: ObjectTables): Feed {
  const versions = tables.records({ prefix: versionPrefix, limit: Number.MAX_SAFE_INTEGER });
  const feed = createFeed(() => 0, new Map(versions.map(({ name, value }) => [name.slice(versionPrefix.length), Number(value)])));
  for (const row of tables.all()) feed.put(row, 0);
  return feed;
}

/** So many rows that they fit one message. */
function cut(feed: Feed, place: number): { readonly rows: StoredRow[]; readonly end: number } {
  for (let limit = pageRows; ; limit = Math.ceil(limit / 4)) {
    const { rows, end } = feed.after(place, { limit, untilMs: Number.POSITIVE_INFINITY });
    if (limit === 1 || rows.reduce((sum, { bytes }) => sum + bytes.length, 0) < pageLength) return { rows, end };
  }
}
