/**
 * One machine's way to the backbone: what the loopback does by itself (loss, cuts, reordering), and besides delays that differ from message to
 * message, and a trace.
 *
 * Rows travel each for itself and may overtake each other, so that the delays of rows are spread exactly as they are drawn; and what is on its
 * way arrives although a newer row of the same replica follows it.
 *
 * Invariants:
 *   J1  A row is received again until `receive` resolved with it.
 *   J2  The cursor that goes with a delivery never passes a row that was not received.
 */
import type { Backbone, Delivery, Subscription } from '../backbone/index.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { StoredRow } from '../store/index.ts';
import { exp, log } from './exact.ts';
import type { Random } from './random.ts';
import type { Spread } from './schedule.ts';
import type { NetworkEvent } from './trace.ts';

export interface PathOptions {
  readonly name: string;
  readonly host: Host;
  readonly random: Random;
  readonly backbone: Backbone;
  readonly lag: Spread;
  readonly rtt: Spread;
  readonly timeoutMs: number;
  readonly retryMs: number;
  /** True while nothing reaches the machine. */
  readonly isCut: () => boolean;
  readonly trace: ((event: Omit<NetworkEvent, 'kind' | 'replica' | 'atMs'>) => void) | null;
}

/** The standard normal's 99th percentile. */
const p99Deviations = 2.3263478740408408;
/** No message takes longer than so many times the 99th percentile: a tail that grows with the number of messages would never come to rest. */
const longestP99s = 2;

/** A log-normal delay with this median and this 99th percentile; where they are equal, always that. */
export function drawDelay({ medianMs, p99Ms }: Spread, random: Random): number {
  if (p99Ms === medianMs) return medianMs;
  const sigma = log(p99Ms / medianMs) / p99Deviations;
  return Math.min(longestP99s * p99Ms, medianMs * exp(sigma * drawNormal(random)));
}

/** Normally distributed, by the polar method (Marsaglia, Bray). */
function drawNormal(random: Random): number {
  for (;;) {
    const [u, v] = [2 * random.next() - 1, 2 * random.next() - 1];
    const s = u * u + v * v;
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * log(s)) / s);
  }
}

export function createPath(options: PathOptions): Backbone {
  const { backbone, rtt, lag } = options;
  const slow = rtt.p99Ms > rtt.medianMs ? slowed(options, backbone) : backbone;
  const far = lag.p99Ms > 0 ? { ...slow, subscribe: travelling(options, slow) } : slow;
  return options.trace === null ? far : traced(far, options.name, options.trace);
}

/** Requests take longer than the loopback's round trip by what is drawn beyond the median. */
function slowed({ host, random, rtt, timeoutMs, name }: PathOptions, backbone: Backbone): Backbone {
  const late = <T>(ask: () => Promise<T>): Promise<T> => {
    const moreMs = drawDelay(rtt, random) - rtt.medianMs;
    if (moreMs <= 0) return ask();
    return new Promise((resolve, reject) => {
      // It arrives all the same; nobody waits for it any more.
      if (moreMs >= timeoutMs) host.after(timeoutMs, () => reject(unreachable(name, timeoutMs)));
      host.after(moreMs, () => ask().then(resolve, reject));
    });
  };
  return throughAll(backbone, (_, ask) => late(ask));
}

const unreachable = (name: string, timeoutMs: number) =>
  new CffbrwError('UNREACHABLE', `the backbone did not answer ${name} within ${timeoutMs} ms`);

type Around = <T>(message: string, ask: () => Promise<T>, rows?: readonly StoredRow[]) => Promise<T>;

/** The same backbone, with something around every request. */
const throughAll = (backbone: Backbone, around: Around): Backbone => ({
  registers: {
    get: (name) => around('get', () => backbone.registers.get(name)),
    compareAndSet: (name, value, revision) =>
      around(`compareAndSet ${name}`, () => backbone.registers.compareAndSet(name, value, revision)),
  },
  identity: () => around('identity', () => backbone.identity()),
  now: () => around('now', () => backbone.now()),
  latest: (replica) => around('latest', () => backbone.latest(replica)),
  publish: (rows) => around('publish', () => backbone.publish(rows), rows),
  forget: (addresses) => around('forget', () => backbone.forget(addresses)),
  subscribe: (cursor, receive) => backbone.subscribe(cursor, receive),
  close: () => backbone.close(),
});

interface Journey {
  readonly cursor: string;
  readonly identity: string;
  waiting: number;
}

/** Every row arrives after a delay of its own. */
function travelling({ host, random, lag, retryMs, isCut }: PathOptions, backbone: Backbone): Backbone['subscribe'] {
  return (cursor, receive): Subscription => {
    const journeys: Journey[] = [];
    let safe = cursor ?? '';
    let arrived: { row: StoredRow; journey: Journey }[] = [];
    let busy = false;
    let closed = false;
    let asked: { readonly last: Journey | undefined; readonly resolve: () => void }[] = [];

    /** What was under way when somebody asked has arrived. */
    function tellArrived(): void {
      const over = asked.filter(({ last }) => last === undefined || !journeys.includes(last));
      asked = asked.filter((each) => !over.includes(each));
      for (const { resolve } of over) resolve();
    }
    const later = (delayMs: number) => host.after(delayMs, () => void deliver());
    async function deliver(): Promise<void> {
      if (busy || closed || arrived.length === 0) return;
      if (isCut()) return void later(retryMs);
      busy = true;
      const identity = arrived[0]?.journey.identity ?? '';
      const batch = arrived.filter(({ journey }) => journey.identity === identity);
      arrived = arrived.filter(({ journey }) => journey.identity !== identity);
      const next = cursorAfter(batch.map(({ journey }) => journey));
      try {
        await receive({ rows: batch.map(({ row }) => row), identity, cursor: next });
        safe = next;
        for (const { journey } of batch) journey.waiting -= 1;
        while (journeys[0]?.waiting === 0) journeys.shift();
        tellArrived();
        if (arrived.length > 0) later(0);
      } catch {
        arrived = [...batch, ...arrived];
        later(retryMs);
      } finally {
        busy = false;
      }
    }
    /** Where to go on once these are received, too. */
    function cursorAfter(batch: readonly Journey[]): string {
      let reached = safe;
      for (const journey of journeys) {
        if (journey.waiting > batch.filter((one) => one === journey).length) break;
        reached = journey.cursor;
      }
      return reached;
    }
    const subscription = backbone.subscribe(cursor, async ({ rows, identity, cursor: to }: Delivery) => {
      const journey = { identity, cursor: to, waiting: rows.length };
      journeys.push(journey);
      for (const row of rows) {
        host.after(drawDelay(lag, random), () => {
          arrived.push({ row, journey });
          void deliver();
        });
      }
    });
    return {
      async caughtUp() {
        await subscription.caughtUp();
        const arrival = new Promise<void>((resolve) => asked.push({ last: journeys.at(-1), resolve }));
        tellArrived();
        return arrival;
      },
      close() {
        closed = true;
        subscription.close();
      },
    };
  };
}

/** What is asked again and again, and says nothing unless it fails. */
const quiet: ReadonlySet<string> = new Set(['identity', 'now', 'latest', 'get']);
const rowNames = (rows: readonly StoredRow[]) => rows.map(({ replica, address, version }) => `${replica} ${address} v${version}`);

function traced(backbone: Backbone, name: string, tell: NonNullable<PathOptions['trace']>): Backbone {
  const there = { from: name, to: 'backbone' };
  const back = { from: 'backbone', to: name };
  const asked = throughAll(backbone, async (message, ask, rows = []) => {
    const about = { message, rows: rowNames(rows) };
    if (!quiet.has(message)) tell({ what: 'sent', ...there, ...about });
    try {
      const answer = await ask();
      if (!quiet.has(message)) tell({ what: 'answered', ...back, ...about });
      return answer;
    } catch (error) {
      tell({ what: 'gave-up', ...there, ...about });
      throw error;
    }
  });
  return {
    ...asked,
    subscribe: (cursor, receive) =>
      backbone.subscribe(cursor, (delivery) => {
        tell({ what: 'delivered', ...back, message: 'rows', rows: rowNames(delivery.rows) });
        return receive(delivery);
      }),
  };
}
