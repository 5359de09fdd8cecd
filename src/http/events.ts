/**
 * The public stream of an app's variables (server-sent events, WHATWG HTML 9.2): a snapshot, then changes. `event: <variable>`, data
 * `{ key, value }`. Many writes cost few events, and a slow reader costs little memory.
 *
 * Never: tells a value that is not durable; keeps more for a client than `maxQueueBytes`.
 *
 * Invariants:
 *   E1  The last value of an address always arrives, however many were left out before it.
 *   E2  An address is told to one client at most once per `pauseMs`.
 *   E3  When a window ends, the value of the new one is told.
 *   E4  Without clients there is no watch and no timer.
 */
import { CffbrwError } from '../error.ts';
import type { Cancel } from '../host.ts';
import type { Change } from '../replica/replica.ts';
import { addressPrefix } from '../strategy/address.ts';
import { windowAt } from '../strategy/window.ts';
import { type Client, createClient } from './event-client.ts';
import type { Fallback } from './http.ts';
import { parseQuery, queryOf } from './input.ts';
import { problemResponse, toProblem } from './problem.ts';
import { createSnapshots, type EventsOptions, eventText, type Told } from './snapshot.ts';

export interface Events {
  readonly answer: Fallback;
  /** Ends every stream. */
  close(): void;
}

export const pauseMs = 100;
export const heartbeatMs = 15_000;

export function createEvents(options: EventsOptions): Events {
  const { host, replica, log } = options;
  const clients = new Set<Client>();
  const snapshots = createSnapshots(options);
  const pending = new Map<string, Change>();
  let stops: (() => void)[] = [];
  let flushLater: Cancel | null = null;
  let tickLater: Cancel | null = null;
  let flushedMs = Number.NEGATIVE_INFINITY;
  let beatMs = 0;
  let closed = false;

  const tell = (told: Told) => {
    for (const client of [...clients]) if (wants(client, told)) client.tell(told);
  };

  const wants = (client: Client, told: Told): boolean => {
    if (client.prefix === '') return true;
    const variable = replica.variables.get(told.variable);
    const window = told.id.split(':')[3] ?? '';
    return variable?.keyed !== true || told.id.startsWith(addressPrefix(variable, window, client.prefix));
  };

  const flush = () => {
    flushLater = null;
    flushedMs = host.elapsed();
    const changes = [...pending];
    pending.clear();
    for (const [id, { variable, key, value }] of changes) {
      snapshots.note(variable, key);
      tell({ id, variable, text: eventText(variable, key, value) });
    }
  };

  const changed = (change: Change) => {
    const address = replica.address(change.variable, change.key ?? undefined);
    // A late write into a closed window is no news about the current one.
    if (address.window !== change.window) return;
    pending.set(address.id, change);
    flushLater ??= host.after(Math.max(0, flushedMs + pauseMs - host.elapsed()), flush);
  };

  const nextTickMs = (): number => {
    const now = host.now();
    const ends = options.variables.map((name) => {
      const rule = replica.variables.get(name)?.window;
      return rule === undefined ? Number.POSITIVE_INFINITY : windowAt(rule, now).endsMs - now;
    });
    const beats = options.beats === false ? [] : [heartbeatMs, beatMs + heartbeatMs - host.elapsed()];
    return Math.max(1, Math.min(...beats, ...ends));
  };

  const tickAfter = (delayMs: number): Cancel | null => (delayMs === Number.POSITIVE_INFINITY ? null : host.after(delayMs, tick));

  const tick = () => {
    if (options.beats !== false && host.elapsed() - beatMs >= heartbeatMs) {
      beatMs = host.elapsed();
      for (const client of [...clients]) client.beat();
    }
    for (const rolled of snapshots.rolled()) {
      rolled
        .then((list) => list.forEach(tell))
        .catch((error: unknown) =>
          log?.({ level: 'warn', message: 'the values of a new window could not be read', cause: error }),
        );
    }
    tickLater = clients.size === 0 ? null : tickAfter(nextTickMs());
  };

  const start = () => {
    beatMs = host.elapsed();
    stops = options.variables.map((name) => replica.watch(name, changed));
    snapshots.start();
    tickLater = tickAfter(nextTickMs());
  };

  const stop = () => {
    for (const each of stops) each();
    stops = [];
    tickLater?.();
    flushLater?.();
    tickLater = null;
    flushLater = null;
    pending.clear();
  };

  const leave = (client: Client, why: string | null) => {
    if (!clients.delete(client)) return;
    if (why !== null) log?.({ level: 'warn', message: `an event stream was ended: ${why}` });
    if (clients.size === 0) stop();
  };

  const open = (request: Request): Response => {
    if (closed) throw new CffbrwError('CLOSED', 'this server is about to stop');
    if (clients.size >= (options.maxClients ?? 1000))
      throw new CffbrwError('OVERLOADED', 'too many clients read the event stream');
    const prefix = parseQuery(queryOf(request.url)).get('prefix')?.[0] ?? '';
    const client = createClient({ prefix, elapsed: host.elapsed, left: (why) => leave(client, why) });
    clients.add(client);
    if (clients.size === 1) start();
    request.signal?.addEventListener('abort', () => client.end(null), { once: true });
    snapshots
      .take(prefix)
      .then((list) => client.begin(list))
      .catch((error: unknown) =>
        client.end(`its snapshot could not be read (${error instanceof Error ? error.message : 'no error'})`),
      );
    return new Response(client.stream, { headers: streamHeaders });
  };

  return {
    answer(request, path) {
      if (path !== options.path) return null;
      try {
        if (request.method === 'GET') return open(request);
        if (request.method === 'HEAD') return new Response(null, { headers: streamHeaders });
        throw new CffbrwError('METHOD_NOT_ALLOWED', 'an event stream takes GET');
      } catch (error) {
        return problemResponse(toProblem(error, host.id, log), request.method === 'GET' ? {} : { allow: 'GET, HEAD' });
      }
    },
    close() {
      closed = true;
      for (const client of [...clients]) client.end(null);
    },
  };
}

const streamHeaders = Object.freeze({
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
});
