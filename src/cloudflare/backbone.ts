/**
 * The backbone on Cloudflare, as a region sees it: questions to the hub, several in one request, and rows that the hub sends or that are
 * fetched. The hub's side is hub.ts and hub-state.ts.
 *
 * Invariants: B1 to B6 of backbone/backbone.ts.
 *   V2  Questions that are asked in one turn of the event loop go in one request, in their order.
 */
import type { Backbone, Delivery } from '../backbone/backbone.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import { type FetchedPage, openSubscriber, type Subscriber } from './subscription.ts';
import type { Answered, Answers, Mark, Push, Question, Questions } from './wire.ts';

export interface HubBackboneOptions {
  readonly host: Host;
  /** The region's name. */
  readonly name: string;
  /** Brings it to the hub and the answers back. Rejects when that does not work. */
  readonly send: (questions: Questions) => Promise<Answered>;
  /** What an earlier life saw. */
  readonly mark?: Mark | null;
  /** Milliseconds since somebody asked for something here. */
  readonly idleMs?: () => number;
  /** True while somebody reads events here. */
  readonly watching?: () => boolean;
  /** True for rows that somebody waits for an answer to. */
  readonly urgent?: () => boolean;
  readonly timeoutMs?: number;
  /** After a failure rows are fetched again so much later. */
  readonly retryMs?: number;
  /** Without anything sent by the hub rows are fetched so often; null: never. */
  readonly pollMs?: number | null;
}

export interface HubBackbone extends Backbone {
  /** What was seen of the hub. */
  readonly mark: Mark | null;
  /** The hub sent rows. False: nobody subscribes here. */
  pushed(push: Push): boolean;
  /** Tells the hub how idle this region is, and whether it watches; and fetches what there is. */
  look(): Promise<void>;
  /** Resolves when what there was at the start is here, or could not be fetched. */
  begun(): Promise<void>;
  /** When all that was kept was last known here, on `host.elapsed`; null: never. */
  readonly wholeMs: number | null;
  since(replica: string, version: number): Promise<Answers['since']>;
  /** The hub asks these regions to tell again how they declare their variables. */
  wake(regions: readonly string[]): void;
}

interface Waiting {
  readonly question: Question;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

export function createHubBackbone(options: HubBackboneOptions): HubBackbone {
  const { host, name, timeoutMs = 5_000 } = options;
  const subscribers = new Set<Subscriber>();
  let waiting: Waiting[] = [];
  let mark = options.mark ?? null;
  /** The hub's clock less ours, and when it was compared. */
  let clock: { readonly aheadMs: number; readonly atMs: number } | null = null;
  let wholeMs: number | null = null;
  /** The last request failed. */
  let isOut = false;
  let closed = false;

  const send = async (questions: readonly Question[]): Promise<Answered> => {
    const startMs = host.elapsed();
    const asked = { from: name, idleMs: options.idleMs?.() ?? 0, watching: options.watching?.() ?? false, mark, questions };
    const answered = await inTime(host, timeoutMs, options.send(asked));
    const halfMs = (host.elapsed() - startMs) / 2;
    clock = { aheadMs: answered.nowMs + halfMs - host.now(), atMs: host.elapsed() };
    mark = laterOf(mark, answered.mark);
    return answered;
  };
  const sendWaiting = (): void => {
    const batch = waiting;
    waiting = [];
    send(batch.map(({ question }) => question)).then(
      ({ answers }) => {
        if (isOut) for (const subscriber of subscribers) void subscriber.fetchNow(); // what came meanwhile was told to nobody
        isOut = false;
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as never);
      },
      (error: unknown) => {
        isOut = true;
        for (const { reject } of batch) reject(asUnreachable(error));
      },
    );
  };
  /** V2. */
  const ask = <Kind extends Question['ask']>(question: Question & { readonly ask: Kind }): Promise<Answers[Kind]> => {
    if (closed) return Promise.reject(new CffbrwError('CLOSED', 'the connection to the hub is closed'));
    if (waiting.length === 0) host.after(0, sendWaiting);
    return new Promise((resolve, reject) => waiting.push({ question, resolve, reject }));
  };
  const askPage = async (cursor: string | null): Promise<FetchedPage> => {
    const atMs = host.elapsed();
    return { page: await ask({ ask: 'after', cursor }), atMs };
  };
  /** What the first subscriber will ask for: it goes along with the question by which a replica begins. */
  let first: Promise<FetchedPage> | null = null;
  const decide = (claim: string): Promise<string> => {
    if (subscribers.size === 0) {
      first = askPage(null);
      first.catch(() => {}); // it is asked again
    }
    return ask({ ask: 'decide', claim });
  };
  const fetchPage = (cursor: string | null): Promise<FetchedPage> => {
    const asked = cursor === null ? first : null;
    first = null;
    return asked ?? askPage(cursor);
  };
  const subscribe = (cursor: string | null, receive: (delivery: Delivery) => Promise<void>): Subscriber => {
    const subscriber = openSubscriber({
      ...{ host, cursor, receive, fetchPage, retryMs: options.retryMs ?? 500, pollMs: options.pollMs ?? null },
      whole: (atMs) => {
        wholeMs = Math.max(wholeMs ?? 0, atMs);
      },
      closed: () => subscribers.delete(subscriber),
    });
    subscribers.add(subscriber);
    return subscriber;
  };

  return {
    get mark() {
      return mark;
    },
    get wholeMs() {
      return wholeMs;
    },
    registers: {
      get: (register) => ask({ ask: 'get', name: register }),
      compareAndSet: (register, value, revision) => ask({ ask: 'swap', name: register, value, revision }),
    },
    identity: () => ask({ ask: 'identity' }),
    async now() {
      if (clock === null || host.elapsed() - clock.atMs > clockFreshMs) await ask({ ask: 'identity' });
      return host.now() + (clock?.aheadMs ?? 0);
    },
    inOrder: true,
    decide,
    latest: (replica) => ask({ ask: 'latest', replica }),
    since: (replica, version) => ask({ ask: 'since', replica, version }),
    wake(regions) {
      ask({ ask: 'wake', regions }).catch(() => {}); // what they declare is looked at again all the same
    },
    async publish(rows) {
      const urgent = options.urgent?.() ?? false;
      for (const batch of batchesOf(rows)) await ask({ ask: 'publish', rows: batch, urgent });
    },
    async forget(addresses) {
      await ask({ ask: 'forget', addresses });
    },
    subscribe: (cursor, receive) => (closed ? gone : subscribe(cursor, receive)),
    pushed(push) {
      mark = laterOf(mark, push.mark);
      for (const subscriber of subscribers) subscriber.pushed(push);
      return subscribers.size > 0;
    },
    async look() {
      await Promise.all([...subscribers].map((subscriber) => subscriber.fetchNow()));
    },
    async begun() {
      await Promise.all([...subscribers].map((subscriber) => subscriber.begun()));
    },
    async close() {
      closed = true;
      for (const subscriber of subscribers) subscriber.close();
    },
  };
}

const gone = { close() {}, caughtUp: () => new Promise<void>(() => {}) };

/** A clock that was compared so lately needs no request. */
const clockFreshMs = 1_000;

/** Answers may cross on their way. */
const laterOf = (one: Mark | null, other: Mark): Mark =>
  one !== null && one.identity === other.identity && one.number > other.number ? one : other;

const asUnreachable = (error: unknown): CffbrwError =>
  error instanceof CffbrwError
    ? error
    : new CffbrwError('UNREACHABLE', `the hub did not answer: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
        fix: 'It goes on by itself as soon as the hub answers.',
      });

function inTime<Result>(host: Host, timeoutMs: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = host.after(timeoutMs, () =>
      reject(new CffbrwError('UNREACHABLE', `the hub did not answer within ${timeoutMs} ms: the outcome is unknown`)),
    );
    work.then(resolve, reject).finally(cancel);
  });
}

const batchRows = 500;
const batchLength = 1_000_000;

function* batchesOf<Row extends { readonly bytes: string }>(rows: readonly Row[]): Generator<readonly Row[]> {
  let batch: Row[] = [];
  let length = 0;
  for (const row of rows) {
    if (batch.length === batchRows || (batch.length > 0 && length + row.bytes.length > batchLength)) {
      yield batch;
      [batch, length] = [[], 0];
    }
    batch.push(row);
    length += row.bytes.length;
  }
  if (batch.length > 0) yield batch;
}
