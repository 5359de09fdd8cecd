/**
 * What happens, as events with ids, for streams that may break off: the last `maxKept` are kept, so that a reader goes on where it was.
 *
 * Never: watches anything while nobody has read for `lingerMs`; lets a busy app fill the stream (runs beyond `maxRunsPerPause` are
 * counted, not told; changes of one address are told once per pause).
 *
 * Invariants:
 *   F1  Ids count up by one. A reader that names the last id that it saw misses nothing that was told after it, or is told that it may.
 */
import { CffbrwError } from '../../error.ts';
import type { Cancel, Host } from '../../host.ts';
import type { Change, Replica } from '../../replica/replica.ts';
import type { RunRecord } from '../../workflow/trace.ts';
import { type Client, createClient } from '../event-client.ts';
import { summaryOf } from './runs.ts';

export const maxKept = 1_000;
export const pauseMs = 100;
export const maxRunsPerPause = 20;
export const lingerMs = 60_000;
export const heartbeatMs = 15_000;
export const maxReaders = 50;

export type EventType = 'change' | 'conflict' | 'run';
export const eventTypes: readonly EventType[] = ['change', 'conflict', 'run'];

export interface FeedReader {
  readonly types: ReadonlySet<EventType>;
  readonly variable?: string | undefined;
  /** The id of the last event that it has seen, or null. */
  readonly after: string | null;
}

export interface Feed {
  /** Throws OVERLOADED, CLOSED. */
  open(reader: FeedReader, signal?: AbortSignal): ReadableStream<Uint8Array>;
  observe(record: RunRecord): void;
  close(): void;
}

interface Kept {
  readonly number: number;
  readonly type: EventType;
  readonly variable: string | null;
  readonly text: string;
}

interface Reading {
  readonly client: Client;
  readonly reader: FeedReader;
}

export interface FeedOptions {
  readonly host: Host;
  readonly replica: Pick<Replica, 'variables' | 'watch' | 'conflicts'>;
}

export function createFeed({ host, replica }: FeedOptions): Feed {
  const era = host.id().slice(0, 8);
  const kept: Kept[] = [];
  const readings = new Set<Reading>();
  const changes = new Map<string, Change>();
  let runs: RunRecord[] = [];
  let untold = 0;
  let next = 1;
  let stops: (() => void)[] = [];
  let flushLater: Cancel | null = null;
  let tickLater: Cancel | null = null;
  let readMs = 0;
  let closed = false;

  const tell = (type: EventType, variable: string | null, data: unknown) => {
    const number = next++;
    const event = { number, type, variable, text: `id: ${era}-${number}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n` };
    kept.push(event);
    if (kept.length > maxKept) kept.shift();
    for (const reading of [...readings]) if (wants(reading.reader, event)) reading.client.tell(toldOf(event));
  };

  const flush = () => {
    flushLater = null;
    const told = [...changes.values()];
    changes.clear();
    for (const change of told) tell('change', change.variable, change);
    const [records, more] = [runs, untold];
    [runs, untold] = [[], 0];
    records.forEach((record, index) => {
      tell('run', null, index === records.length - 1 && more > 0 ? { ...summaryOf(record), untold: more } : summaryOf(record));
    });
  };

  const soon = () => {
    flushLater ??= host.after(pauseMs, flush);
  };

  const start = () => {
    if (stops.length > 0) return;
    const changed = (change: Change) => {
      changes.set(JSON.stringify([change.variable, change.window, change.key]), change);
      soon();
    };
    stops = [...replica.variables.keys()].map((name) => replica.watch(name, changed));
    stops.push(replica.conflicts.watch((conflict) => tell('conflict', conflict.variable, conflict)));
    tickLater = host.after(heartbeatMs, tick);
  };

  /** What is not watched any more is not remembered: the next reader is told so. */
  const stop = () => {
    for (const each of stops) each();
    stops = [];
    for (const cancel of [flushLater, tickLater]) cancel?.();
    [flushLater, tickLater] = [null, null];
    for (const list of [kept, runs]) list.length = 0;
    changes.clear();
    next += 1;
  };

  const tick = () => {
    for (const { client } of [...readings]) client.beat();
    if (readings.size === 0 && host.elapsed() - readMs >= lingerMs) return stop();
    tickLater = host.after(heartbeatMs, tick);
  };

  const missed = (after: string): readonly Kept[] | null => {
    const [, of, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(after) ?? [];
    const last = Number(number);
    const first = kept[0]?.number ?? next;
    return of === era && last >= first - 1 && last < next ? kept.filter((event) => event.number > last) : null;
  };

  /** An id without data: a reader that breaks off before the first event can say from where on it has missed some. */
  const greeting = ({ after }: FeedReader, backlog: readonly Kept[] | null): string => {
    if (backlog !== null) return after === null ? `id: ${era}-${next - 1}\n\n` : ': here it goes on\n\n';
    return `id: ${era}-${next - 1}\nevent: reset\ndata: ${JSON.stringify({ why: 'what came after that id is not kept: read again' })}\n\n`;
  };

  return {
    open(reader, signal) {
      if (closed) throw new CffbrwError('CLOSED', 'this server is about to stop');
      if (readings.size >= maxReaders) throw new CffbrwError('OVERLOADED', `${maxReaders} clients read these events already`);
      start();
      const backlog = reader.after === null ? [] : missed(reader.after);
      const leave = () => {
        readings.delete(reading);
        readMs = host.elapsed();
      };
      const client = createClient({ prefix: '', elapsed: host.elapsed, left: leave });
      const reading: Reading = { client, reader };
      readings.add(reading);
      signal?.addEventListener('abort', () => client.end(null), { once: true });
      const wanted = (backlog ?? []).filter((event) => wants(reader, event));
      client.begin([{ id: 'hello', variable: '', text: greeting(reader, backlog) }, ...wanted.map(toldOf)]);
      return client.stream;
    },
    observe(record) {
      if (stops.length === 0) return;
      if (runs.length < maxRunsPerPause) runs.push(record);
      else untold += 1;
      soon();
    },
    close() {
      closed = true;
      for (const { client } of [...readings]) client.end(null);
      if (stops.length > 0) stop();
    },
  };
}

const wants = ({ types, variable }: FeedReader, event: Kept): boolean =>
  types.has(event.type) && (variable === undefined || event.variable === null || event.variable === variable);

const toldOf = ({ number, text }: Kept) => ({ id: String(number), variable: '', text });
