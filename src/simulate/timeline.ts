/** What a picture of a run shows: lanes, runs, messages between them, what was done to the world, and what broke when. Plain data. */
import { carriedRow, nameOf, type Race } from './report-race.ts';
import { faultOf } from './report-trace.ts';
import { seconds } from './report-words.ts';
import type { NetworkEvent, StepEvent, TraceEvent } from './trace.ts';

export interface TimelineRun {
  readonly atMs: number;
  readonly lane: string;
  readonly wrote: boolean;
  readonly told: string;
}

export interface TimelineMessage {
  readonly fromMs: number;
  readonly from: string;
  readonly toMs: number;
  readonly to: string;
  readonly told: string;
  /** It carries the write that the later of the two steps had not heard of. */
  readonly late: boolean;
}

export interface TimelineMark {
  readonly atMs: number;
  readonly lane: string;
  readonly text: string;
}

export interface Timeline {
  readonly lanes: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  readonly runs: readonly TimelineRun[];
  readonly messages: readonly TimelineMessage[];
  readonly faults: readonly TimelineMark[];
  readonly broken: readonly TimelineMark[];
  readonly raced: readonly TimelineMark[];
}

export function timelineOf(events: readonly TraceEvent[], regions: readonly string[], race: Race | null): Timeline {
  const broken = events.flatMap((event) =>
    event.kind === 'violation' ? [{ atMs: event.atMs, lane: event.replica, text: event.invariant }] : [],
  );
  const lastMs = broken.at(-1)?.atMs ?? events.at(-1)?.atMs ?? 0;
  const seen = events.filter(({ atMs }) => atMs <= lastMs);
  const runs = runsOf(seen);
  const messages = [...rowMessages(events, race), ...questions(events)].filter(({ fromMs }) => fromMs <= lastMs);
  const faults = seen.flatMap((event) =>
    event.kind === 'fault' ? [{ atMs: event.atMs, lane: event.replica, text: faultOf(event) }] : [],
  );
  const times = [...runs.map(({ atMs }) => atMs), ...faults.map(({ atMs }) => atMs), lastMs];
  const startMs = Math.min(...times);
  const used = new Set([...runs, ...faults].map(({ lane }) => lane).concat(messages.flatMap(({ from, to }) => [from, to])));
  const lanes = [...regions.filter((region) => used.has(region)), ...[...used].filter((lane) => !regions.includes(lane)).sort()];
  return {
    lanes,
    startMs,
    endMs: lastMs + Math.max(1, (lastMs - startMs) * 0.06),
    runs,
    messages,
    faults,
    broken,
    raced: racedOf(race),
  };
}

/** All steps of a run are one dot: most runs take no time at all. */
function runsOf(events: readonly TraceEvent[]): readonly TimelineRun[] {
  const byRun = new Map<number, StepEvent[]>();
  for (const event of events) if (event.kind === 'step') byRun.set(event.run, [...(byRun.get(event.run) ?? []), event]);
  return [...byRun.values()].flatMap((steps) => {
    const [first] = steps;
    if (first === undefined) return [];
    const told = [`${seconds(first.atMs)}  ${first.workflow} ${first.run} at ${first.replica}`, ...steps.flatMap(stepTold)].join(
      '\n',
    );
    return [{ atMs: first.atMs, lane: first.replica, wrote: steps.some(({ writes }) => writes.length > 0), told }];
  });
}

const stepTold = ({ step, verb, reads, writes }: StepEvent): readonly string[] => [
  ...reads.map((read) => `${step} ${verb} reads ${nameOf(read)} = ${read.value}`),
  ...writes.map((write) => `${step} ${verb} writes ${nameOf(write)} → ${write.value}`),
];

const isNetwork = (event: TraceEvent): event is NetworkEvent => event.kind === 'network';

/** From the moment that a replica publishes its row to the moment that another hears of it. */
function rowMessages(events: readonly TraceEvent[], race: Race | null): readonly TimelineMessage[] {
  const sentMs = new Map<string, number>();
  const found: TimelineMessage[] = [];
  for (const { what, rows, replica, atMs } of events.filter(isNetwork)) {
    for (const text of rows) {
      const row = carriedRow(text);
      if (row === null) continue;
      if (what === 'sent' && row.replica === replica && !sentMs.has(text)) sentMs.set(text, atMs);
      const fromMs = sentMs.get(text);
      if (what !== 'delivered' || row.replica === replica || fromMs === undefined) continue;
      const told = `${row.name} v${row.version} of ${row.replica}: published at ${seconds(fromMs)}, heard at ${replica} at ${seconds(atMs)}`;
      const late =
        race !== null && race.heardMs === atMs && race.later.replica === replica && race.earlier.replica === row.replica;
      found.push({ fromMs, from: row.replica, toMs: atMs, to: replica, told, late });
    }
  }
  return found;
}

/** Compare-and-sets, there and back; those that nobody answered go nowhere. */
function questions(events: readonly TraceEvent[]): readonly TimelineMessage[] {
  return events.filter(isNetwork).flatMap((event) => {
    const { what, from, to, message, atMs } = event;
    if (!message.startsWith('compareAndSet') || message === 'compareAndSet receipt-key' || what !== 'sent') return [];
    const answer = events.find(
      (other) =>
        isNetwork(other) && other.what === 'answered' && other.message === message && other.to === from && other.atMs >= atMs,
    );
    const middleMs = answer === undefined ? atMs : (atMs + answer.atMs) / 2;
    const told = `${message} by ${from}, ${answer === undefined ? 'not answered' : `answered at ${seconds(answer.atMs)}`}`;
    const there = { fromMs: atMs, from, toMs: middleMs, to, told, late: false };
    return answer === undefined
      ? [there]
      : [there, { fromMs: middleMs, from: to, toMs: answer.atMs, to: from, told, late: false }];
  });
}

const racedOf = (race: Race | null): readonly TimelineMark[] =>
  race === null
    ? []
    : [race.earlier, race.later].map((step) => ({ atMs: step.atMs, lane: step.replica, text: writesOf(step, race.name) }));

const writesOf = ({ reads, writes }: StepEvent, name: string): string => {
  const read = reads.find((note) => nameOf(note) === name);
  const write = writes.find((note) => nameOf(note) === name);
  return `${read === undefined ? '' : `saw ${read.value}, `}${write?.operation ?? 'wrote'} ${name} → ${write?.value ?? ''}`;
};
