/**
 * One subscriber: it reads on from its cursor until nothing is left, then waits for a notification, or looks again after a while. The table
 * is the truth; a notification that is lost costs time only. While rows come all the time it looks every 20 ms, and asks the server not to
 * tell it: each notification would wake every subscriber, its process and the server's.
 *
 * Invariants:
 *   V1  The cursor passes a row only after `receive` resolved with it.
 *   V2  A page of rows holds at most `pageRows` rows and little more than `pageBytes`.
 */
import type { Delivery, Subscription } from '../backbone/index.ts';
import type { Host } from '../host.ts';
import type { Answer } from './backbone-connection.ts';
import type { Line } from './backbone-line.ts';
import { type Marks, parseCursor, printCursor } from './backbone-mark.ts';
import { listens, type Session } from './backbone-session.ts';
import type { BackboneTarget } from './backbone-url.ts';

export interface FeedOptions {
  readonly host: Host;
  readonly target: BackboneTarget;
  /** Its own: it decides whether the server tells of new rows there. */
  readonly line: Line;
  readonly marks: Marks;
  readonly cursor: string | null;
  readonly receive: (delivery: Delivery) => Promise<void>;
  readonly closed: () => void;
}

export interface Feed extends Subscription {
  /** There may be new rows. */
  wake(): void;
}

const pageRows = 500;
const pageBytes = 4_194_304;
/** With notifications, for one that was lost; without. */
const lookAgainMs = 3_000;
const pollMs = 250;
/** Between two reads of the table, when one publish follows the other: each costs every subscriber a round trip and a commit. */
const gatherMs = 20;
/** Pages with rows, one right after the other, after which the server need not tell; and pages without, after which it has to again. */
const steadyPages = 5;
/** Tries that fail begin so far apart: one that nobody answered for as long is followed by the next at once. */
const retryMs = 100;
const lastRetryMs = 1_000;

/** Rows in the order of their places. The first says what the server is; it is there, without a place, when there are none. */
export const pageSql = (schema: string): string => `
select case when coalesce(first, true) then identity end as identity, case when coalesce(first, true) then log end as log, address, replica, version, bytes, place
from (select ${schema}.identity() as identity, ${schema}.log_end() as log) known left join lateral (
  select address, replica, version, bytes, place, before = 0 as first from (
    select *, sum(octet_length(bytes)) over (order by place) - octet_length(bytes) as before from (
      select address, replica, version, bytes, place from ${schema}.rows
      where place > case when known.identity = $1 then $2::bigint else 0 end order by place limit ${pageRows}
    ) next
  ) counted where before < ${pageBytes}
) page on true order by place`;

export function openFeed(options: FeedOptions): Feed {
  const { host, target, line, marks } = options;
  const page = pageSql(target.schema);
  const start = options.cursor === null ? null : parseCursor(options.cursor);
  let at = { identity: start?.identity ?? '', place: start?.place ?? 0 };
  let closed = false;
  let woken = false;
  const asked: (() => void)[] = [];
  let failures = 0;
  let rouse: () => void = () => {};
  /** The session on which the server does not tell of new rows. */
  let hushed: Session | null = null;
  /** Pages, one after the other, that were not as is usual while the server tells, or does not. */
  let unusual = 0;

  /** `more`: at once. What comes later is told of by a notification, or found when it is looked for again. */
  async function readOn(session: Session): Promise<'none' | 'some' | 'more'> {
    const waiting = asked.length;
    const answers = await session.ask(page, [at.identity, at.place]);
    const identity = answers[0]?.identity;
    if (typeof identity !== 'string') {
      await session.enter();
      return 'more';
    }
    const rows = answers.filter(({ place }) => place !== null).map(asRow);
    const place = Number(answers.at(-1)?.place ?? (identity === at.identity ? at.place : 0));
    if (closed) return 'none';
    if (rows.length > 0)
      await options.receive({ rows, identity, cursor: printCursor(marks.saw(identity, answers[0]?.log), place) });
    at = { identity, place };
    // What was asked for before the page was read is behind it, when that was the last page.
    if (!isLast(rows)) return 'more';
    for (const resolve of asked.splice(0, waiting)) resolve();
    return rows.length > 0 ? 'some' : 'none';
  }

  /** After it is told again, a page is read before anything is waited for: nothing is missed in between. */
  async function tell(session: Session, isTold: boolean): Promise<void> {
    unusual = 0;
    hushed = session; // until the server has said that it tells
    await session.listen(isTold);
    if (isTold) hushed = null;
  }

  async function waitForMore(session: Session, found: 'none' | 'some', startMs: number): Promise<void> {
    const isTold = session !== hushed;
    const mayHush = listens(target, session) && !session.pooled;
    const readMs = host.elapsed();
    if (isTold) await pause(listens(target, session) ? lookAgainMs : pollMs);
    const isSteady = found === 'some' && host.elapsed() - readMs <= gatherMs;
    await rest(startMs + gatherMs - host.elapsed());
    unusual = isSteady === isTold ? unusual + 1 : 0;
    if (mayHush && unusual >= steadyPages && !closed) await tell(session, !isTold);
  }

  async function run(): Promise<void> {
    while (!closed) {
      const beganMs = host.elapsed();
      try {
        const session = await line.session();
        woken = false;
        const startMs = host.elapsed();
        const found = await readOn(session);
        if (found === 'more') continue;
        failures = 0;
        await waitForMore(session, found, startMs);
      } catch {
        // Out of reach, or the receiver refused: the same rows again.
        woken = false;
        const apartMs = Math.min(lastRetryMs, retryMs * 2 ** failures) * (0.5 + host.random() / 2);
        await pause(Math.max(0, beganMs + apartMs - host.elapsed()));
        failures += 1;
      }
    }
  }

  const rest = (delayMs: number): Promise<void> | undefined =>
    delayMs <= 0 ? undefined : new Promise((resolve) => void host.after(delayMs, resolve));

  function pause(delayMs: number): Promise<void> {
    if (woken || closed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = host.after(delayMs, resolve);
      rouse = () => {
        cancel();
        resolve();
      };
    });
  }

  run().catch(() => {}); // it ends when it is closed
  return {
    caughtUp() {
      const caughtUp = new Promise<void>((resolve) => asked.push(resolve));
      this.wake();
      return caughtUp;
    },
    wake() {
      woken = true;
      rouse();
    },
    close() {
      closed = true;
      rouse();
      line.close();
      options.closed();
    },
  };
}

/** Certainly below both limits of a page. */
const isLast = (rows: readonly { readonly bytes: string }[]): boolean =>
  rows.length < pageRows && rows.reduce((sum, { bytes }) => sum + bytes.length, 0) < pageBytes / 8;

export const asRow = ({ address, replica, version, bytes }: Answer) => ({
  address: String(address),
  replica: String(replica),
  version: Number(version),
  bytes: String(bytes),
});
