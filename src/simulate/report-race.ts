/**
 * Which two steps raced: the last two writes of one value by different replicas, before the invariant broke, of which the later one had not
 * heard of the earlier. Told from the trace alone; a trace without such a pair has no race to show.
 */
import { parseAddress } from '../strategy/address.ts';
import type { NetworkEvent, ReadNote, StepEvent, TraceEvent } from './trace.ts';

export interface Race {
  readonly earlier: StepEvent;
  readonly later: StepEvent;
  /** The value that both wrote, as a workflow names it: `stock`, `profile["ann"]`. */
  readonly name: string;
  /** The first step of the later run that read it, or null: it never looked. */
  readonly read: ReadNote | null;
  /** When the later replica heard of the earlier write, or null: not in this run. */
  readonly heardMs: number | null;
}

/** A row that a message carries. */
export interface CarriedRow {
  /** The region: a replica's id without its incarnation. */
  readonly replica: string;
  readonly name: string;
  readonly version: number;
}

export const nameOf = ({ variable, key }: Pick<ReadNote, 'variable' | 'key'>): string =>
  key === null ? variable : `${variable}[${JSON.stringify(key)}]`;

/** `hanoi.k5n4 stock:last-write-wins::: v3` */
export function carriedRow(text: string): CarriedRow | null {
  const [, id = '', address = '', version = ''] = /^(\S+) (.*) v(\d+)$/.exec(text) ?? [];
  const replica = id.split('.')[0] ?? '';
  if (replica === '') return null;
  const parsed = parseAddress(address);
  return { replica, name: parsed === null ? address : nameOf(parsed), version: Number(version) };
}

const carries = ({ rows }: NetworkEvent, replica: string, name: string): number =>
  Math.max(0, ...rows.map(carriedRow).map((row) => (row?.replica === replica && row.name === name ? row.version : 0)));

const networkOf = (events: readonly TraceEvent[]) => events.filter((event) => event.kind === 'network');

export function findRace(events: readonly TraceEvent[]): Race | null {
  const end = events.findIndex(({ kind }) => kind === 'violation');
  const before = end < 0 ? events : events.slice(0, end);
  const writers = before.filter((event): event is StepEvent => event.kind === 'step' && event.writes.length > 0).reverse();
  const network = networkOf(events);
  for (const [index, later] of writers.entries()) {
    for (const write of later.writes) {
      const name = nameOf(write);
      const earlier = writers.slice(index + 1).find((step) => isUnheard(step, later, name, network));
      if (earlier !== undefined) {
        return {
          earlier,
          later,
          name,
          read: readOf(before, later, name),
          heardMs: heardMs(earlier, later.replica, name, network),
        };
      }
    }
  }
  return null;
}

function isUnheard(earlier: StepEvent, later: StepEvent, name: string, network: readonly NetworkEvent[]): boolean {
  if (earlier.replica === later.replica || !earlier.writes.some((write) => nameOf(write) === name)) return false;
  const heard = heardMs(earlier, later.replica, name, network);
  return heard === null || heard > later.atMs;
}

/** When `replica` heard of what `step` wrote: of the row's version that its own replica published next, or of a later one. */
function heardMs(
  { atMs, replica: from }: StepEvent,
  replica: string,
  name: string,
  network: readonly NetworkEvent[],
): number | null {
  const sent = network.find(
    (event) => event.what === 'sent' && event.replica === from && event.atMs >= atMs && carries(event, from, name) > 0,
  );
  if (sent === undefined) return null;
  const version = carries(sent, from, name);
  const heard = network.find(
    (event) =>
      event.what === 'delivered' && event.replica === replica && event.atMs >= atMs && carries(event, from, name) >= version,
  );
  return heard?.atMs ?? null;
}

const readOf = (events: readonly TraceEvent[], { run }: StepEvent, name: string): ReadNote | null =>
  events
    .flatMap((event) => (event.kind === 'step' && event.run === run ? event.reads : []))
    .find((read) => nameOf(read) === name) ?? null;
