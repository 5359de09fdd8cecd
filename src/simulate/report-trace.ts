/** A trace as text: one line per event, in columns. */
import { carriedRow, nameOf, type Race } from './report-race.ts';
import { seconds } from './report-words.ts';
import type { FaultEvent, NetworkEvent, ReadNote, StepEvent, TraceEvent, WriteNote } from './trace.ts';

export interface TraceOptions {
  /** All of it; else without what a reader skips: acknowledgements, echoes, values that nobody changes, and what came after the break. */
  readonly whole?: boolean;
  /** Its two steps are marked with `×`. */
  readonly race?: Race | null;
}

/** What an event says, in columns; or, where it is no step and no message, in one line from the column `run` on. */
export interface TraceLine {
  readonly event: TraceEvent;
  readonly time: string;
  readonly replica: string;
  readonly raced: boolean;
  readonly told: TraceCells | string;
}

export interface TraceCells {
  readonly run: string;
  readonly step: string;
  readonly read: string;
  readonly wrote: string;
  readonly network: string;
}

export const columns = ['run', 'step', 'read', 'wrote', 'network'] as const;

/** The events as they are told, in their order. */
export function traceLines(
  events: readonly TraceEvent[],
  { whole = false, race = null }: TraceOptions = {},
): readonly TraceLine[] {
  const changed = new Set(events.flatMap((event) => (event.kind === 'step' ? event.writes.map(({ variable }) => variable) : [])));
  return (whole ? events : untilBroken(events))
    .map((event) => (whole ? event : withoutConstants(event, changed)))
    .filter((event) => whole || isTelling(event))
    .map((event) => lineOf(event, race));
}

function untilBroken(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const last = events.findLastIndex(({ kind }) => kind === 'violation');
  return last < 0 ? events : events.slice(0, last + 1);
}

function withoutConstants(event: TraceEvent, changed: ReadonlySet<string>): TraceEvent {
  if (event.kind !== 'step') return event;
  return { ...event, reads: event.reads.filter(({ variable }) => changed.has(variable)) };
}

function isTelling(event: TraceEvent): boolean {
  if (event.kind === 'step') return event.error !== null || event.reads.length + event.writes.length > 0;
  if (event.kind === 'phase') return event.what === 'heal';
  return event.kind !== 'network' || isNews(event);
}

/** A replica is told of its own rows, too; and it passes on what it has heard, in case that nobody else does. */
function isNews({ what, message, rows, replica }: NetworkEvent): boolean {
  if (what === 'answered') return false;
  if (what === 'gave-up') return true;
  if (rows.length === 0) return message !== 'publish' && message !== 'compareAndSet receipt-key';
  const own = rows.filter((row) => carriedRow(row)?.replica === replica).length;
  return what === 'sent' ? own > 0 : own < rows.length;
}

const sameStep = (a: StepEvent, b: StepEvent): boolean => a.run === b.run && a.step === b.step && a.atMs === b.atMs;

function lineOf(event: TraceEvent, race: Race | null): TraceLine {
  const raced = event.kind === 'step' && race !== null && (sameStep(event, race.earlier) || sameStep(event, race.later));
  return { event, time: seconds(event.atMs), replica: event.replica, raced, told: told(event, raced) };
}

const none: TraceCells = { run: '', step: '', read: '', wrote: '', network: '' };

function told(event: TraceEvent, raced: boolean): TraceCells | string {
  switch (event.kind) {
    case 'request':
      return `→ request ${event.i} of user ${event.user}: ${event.method} ${event.path} ${shortJson(event.body)}`.trimEnd();
    case 'answer':
      return `← request ${event.i}: ${event.status === 0 ? 'no answer' : `${event.status} ${shortJson(event.body)}`}`.trimEnd();
    case 'step':
      return stepCells(event, raced);
    case 'network':
      return { ...none, network: messageOf(event) };
    case 'fault':
      return `! ${faultOf(event)}`;
    case 'alarm':
      return `! ALARM ${event.what}: ${event.detail}`;
    case 'violation':
      return `✗ BROKEN: ${event.invariant}`;
    case 'phase':
      return { load: '· the load begins', heal: '· everything heals', rest: '· everything has come to rest' }[event.what];
  }
}

export const faultOf = ({ what, detail }: FaultEvent): string => (detail === '' ? what : `${what}: ${detail}`);

const shortJson = (value: unknown): string => (value === null ? '' : short(JSON.stringify(value), 100));
const short = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

const stepCells = ({ run, workflow, step, verb, skipped, reads, writes, error }: StepEvent, raced: boolean): TraceCells => ({
  run: `${workflow} ${run}`,
  step: `${step} ${verb}${skipped ? ', left out' : ''}${raced ? ' ×' : ''}`,
  read: reads.map(readOf).join(', '),
  wrote: [...writes.map(writeOf), ...(error === null ? [] : [`failed: ${error}`])].join(', '),
  network: '',
});

const readOf = (note: ReadNote): string => `${nameOf(note)} = ${short(note.value, 40)}`;
const writeOf = (note: WriteNote): string => `${note.operation} ${nameOf(note)} → ${short(note.value, 40)}`;

export function messageOf({ what, message, rows, replica }: NetworkEvent): string {
  const carried = rows.map((text) => rowOf(text, replica)).join(', ');
  if (what === 'delivered') return `hears ${carried}`;
  const about = message === 'publish' ? `publish ${carried}`.trimEnd() : message;
  return { sent: `sends ${about}`, answered: `is answered: ${about}`, 'gave-up': `gives up waiting: ${about}` }[what];
}

function rowOf(text: string, replica: string): string {
  const row = carriedRow(text);
  if (row === null) return text;
  return `${row.replica === replica ? '' : `${row.replica}’s `}${row.name} v${row.version}`;
}

const head: TraceCells = { run: 'run', step: 'step', read: 'read', wrote: 'wrote', network: 'network' };

/** As lines of text: columns as wide as what stands in them. */
export function traceText(lines: readonly TraceLine[]): string {
  const inCells = [head, ...lines.flatMap(({ told: one }) => (typeof one === 'string' ? [] : [one]))];
  const widths = columns.map((column) => Math.max(...inCells.map((cells) => cells[column].length)));
  const time = Math.max(4, ...lines.map((line) => line.time.length));
  const replica = Math.max('replica'.length, ...lines.map((line) => line.replica.length));
  const row = (at: string, where: string, one: TraceCells | string): string => {
    const rest =
      typeof one === 'string' ? one : columns.map((column, index) => one[column].padEnd(widths[index] ?? 0)).join('  ');
    return `${at.padStart(time)}  ${where.padEnd(replica)}  ${rest}`.trimEnd();
  };
  return [row('time', 'replica', head), ...lines.map((line) => row(line.time, line.replica, line.told))].join('\n');
}
