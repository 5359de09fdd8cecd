/**
 * Windows: the id of the hour, day, week or month in which an operation is accepted, in an IANA time zone. A day can have 23 or 25
 * hours, and an hour that a clock goes through twice is two windows.
 *
 * Ids: `2026-11-20T13+0700` (hour; no colon, an address id is split at colons), `2026-11-20`, `2026-W47` (ISO 8601), `2026-11`.
 * A day, week or month begins when the local calendar first reaches it; a clock that is set back over midnight does not open the
 * day before again, and a day that a zone skipped has no window.
 *
 * Invariants:
 *   W1  Windows of one rule tile time: each instant lies in exactly one, and one ends where the next starts.
 *   W2  The same rule, zone data and instant give the same id everywhere.
 */
import { CffbrwError } from '../error.ts';

export interface WindowRule {
  readonly every: 'hour' | 'day' | 'week' | 'month';
  /** IANA name; default UTC. */
  readonly timezone?: string;
  /** How many closed windows are kept before they become tombstones. Default 7. */
  readonly keep?: number;
}

/** Instants are milliseconds since 1970; `endsMs` is the first one of the next window. */
export interface Window {
  readonly id: string;
  readonly startsMs: number;
  readonly endsMs: number;
}

export const defaultKeep = 7;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** No zone was ever further from UTC than this. */
const widestOffsetMs = 16 * hourMs;
const lastYearMs = Date.UTC(9999, 0, 1);

/** The window that holds this instant. Remembered per rule, so that asking again inside it costs two comparisons. */
export function windowAt(rule: WindowRule, timeMs: number): Window {
  const last = latest.get(rule);
  if (last !== undefined && timeMs >= last.startsMs && timeMs < last.endsMs) return last;
  if (!(timeMs >= 0 && timeMs < lastYearMs)) {
    throw new CffbrwError('INVALID_VALUE', `the instant ${timeMs} is not between the years 1970 and 9999`, {
      fix: 'Set this machine’s clock.',
    });
  }
  const found = find(rule, timeMs);
  latest.set(rule, found);
  return found;
}

const latest = new WeakMap<WindowRule, Window>();

const find = (rule: WindowRule, timeMs: number): Window => {
  const zone = rule.timezone ?? 'UTC';
  return rule.every === 'hour' ? hourAt(zone, timeMs) : periodAt(rule.every, zone, timeMs);
};

/** The window before the one that holds this instant. */
export function previousWindow(rule: WindowRule, timeMs: number): Window {
  const window = windowAt(rule, timeMs);
  const known = before.get(window);
  if (known !== undefined) return known;
  const found = find(rule, window.startsMs - 1);
  before.set(window, found);
  return found;
}

const before = new WeakMap<Window, Window>();

/** The window that has this id, or null when no window of this rule ever has it. */
export function windowOf(rule: WindowRule, id: string): Window | null {
  const last = latest.get(rule);
  if (last?.id === id) return last;
  const nominal = parseId(rule.every, id);
  if (nominal === null) return null;
  const zone = rule.timezone ?? 'UTC';
  for (const instant of candidates(nominal, zone)) {
    const window = instant >= 0 && instant < lastYearMs ? find(rule, instant) : null;
    if (window?.id === id) return window;
  }
  return null;
}

/** Instants of which one lies in the window, if it exists: a change of the clock may have cut its first or its last part off. */
const candidates = (nominal: Nominal, zone: string): readonly number[] =>
  nominal.every === 'hour'
    ? [nominal.startsMs, nominal.startsMs + hourMs - 1, nominal.startsMs + hourMs / 2]
    : [firstInstant(zone, nominal.startsMs)];

/**
 * True when this window closed more than `keep` windows ago (or never existed): nothing may open it again, however slow the clock
 * of whoever asks.
 */
export function isTombstone(rule: WindowRule, windowId: string, nowMs: number): boolean {
  const now = windowAt(rule, nowMs).id;
  if (windowId === now) return false;
  const nominal = parseId(rule.every, windowId);
  const current = parseId(rule.every, now);
  if (nominal === null || current === null) return true;
  return nominal.ordinal < current.ordinal - (rule.keep ?? defaultKeep);
}

// ── Days, weeks and months: the n-th period since 1970 begins when the local calendar first reaches its start. ──

type Period = 'day' | 'week' | 'month';

/** The start of the n-th period, as if the zone were UTC. Monday of the week of 1970-01-01 is three days before it. */
function nominalStart(every: Period, ordinal: number): number {
  if (every === 'day') return ordinal * dayMs;
  if (every === 'week') return (ordinal * 7 - 3) * dayMs;
  return Date.UTC(1970, ordinal, 1);
}

function ordinalAt(every: Period, localMs: number): number {
  const day = Math.floor(localMs / dayMs);
  if (every === 'day') return day;
  if (every === 'week') return Math.floor((day + 3) / 7);
  const date = new Date(localMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

function periodAt(every: Period, zone: string, timeMs: number): Window {
  let ordinal = ordinalAt(every, timeMs + offsetAt(zone, timeMs));
  const startOf = (n: number): number => firstInstant(zone, nominalStart(every, n));
  // A clock set back over midnight shows the day before again; a zone that changed sides of the date line skips one.
  while (timeMs >= startOf(ordinal + 1)) ordinal++;
  return Object.freeze({ id: periodId(every, ordinal), startsMs: startOf(ordinal), endsMs: startOf(ordinal + 1) });
}

/** The first instant at which the zone's clock shows `localMs` or later. */
function firstInstant(zone: string, localMs: number): number {
  const low = localMs - widestOffsetMs;
  const before = offsetAt(zone, low);
  const change = firstChange(zone, low, localMs + widestOffsetMs);
  if (change === null || localMs - before < change) return localMs - before;
  return Math.max(change, localMs - offsetAt(zone, change));
}

/** The first instant after `low`, up to `high`, with another offset than at `low`; null when both ends have the same. */
export function firstChange(zone: string, low: number, high: number): number | null {
  const before = offsetAt(zone, low);
  if (offsetAt(zone, high) === before) return null;
  let same = low;
  let other = high;
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (offsetAt(zone, middle) === before) same = middle;
    else other = middle;
  }
  return other;
}

function periodId(every: Period, ordinal: number): string {
  const startMs = nominalStart(every, ordinal);
  if (every !== 'week') return new Date(startMs).toISOString().slice(0, every === 'day' ? 10 : 7);
  const thursday = new Date(startMs + 3 * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

// ── Hours: one hour on the zone's clock under one offset. ──

function hourAt(zone: string, timeMs: number): Window {
  const offsetMs = offsetAt(zone, timeMs);
  const startsMs = Math.floor((timeMs + offsetMs) / hourMs) * hourMs - offsetMs;
  const endsMs = startsMs + hourMs;
  const id = `${new Date(startsMs + offsetMs).toISOString().slice(0, 13)}${offsetText(offsetMs)}`;
  const cutAt = offsetAt(zone, startsMs) === offsetMs ? null : firstChange(zone, startsMs, timeMs);
  const cutOff = offsetAt(zone, endsMs - 1) === offsetMs ? null : firstChange(zone, timeMs, endsMs - 1);
  return Object.freeze({ id, startsMs: cutAt ?? startsMs, endsMs: cutOff ?? endsMs });
}

/** `+0700`, `-0330`, and with seconds where a zone once had them. */
function offsetText(offsetMs: number): string {
  const seconds = Math.abs(offsetMs) / 1000;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((n) => String(n).padStart(2, '0'));
  return `${offsetMs < 0 ? '-' : '+'}${parts.join('').replace(/^(\d{4})00$/, '$1')}`;
}

// ── Ids back to time. ──

/** `ordinal` counts periods of the rule; `startsMs` is local time for days, weeks and months, an instant for hours. */
interface Nominal {
  readonly every: WindowRule['every'];
  readonly ordinal: number;
  readonly startsMs: number;
}

const idForms: Record<WindowRule['every'], RegExp> = {
  hour: /^(\d{4}-\d\d-\d\dT\d\d)([+-])(\d\d)(\d\d)(\d\d)?$/,
  day: /^\d{4}-\d\d-\d\d$/,
  week: /^(\d{4})-W(\d\d)$/,
  month: /^\d{4}-\d\d$/,
};

function parseId(every: WindowRule['every'], id: string): Nominal | null {
  const match = idForms[every].exec(id);
  if (match === null) return null;
  if (every === 'hour') return parseHour(match);
  const localMs = every === 'week' ? Date.UTC(Number(match[1]), 0, 4) + (Number(match[2]) - 1) * 7 * dayMs : dateOf(id);
  const ordinal = ordinalAt(every, localMs);
  return periodId(every, ordinal) === id ? { every, ordinal, startsMs: nominalStart(every, ordinal) } : null;
}

/** Local midnight of `2026-11-20`, or of the first of `2026-11`. Days that no month has roll over, which the caller sees. */
const dateOf = (id: string): number => Date.UTC(Number(id.slice(0, 4)), Number(id.slice(5, 7)) - 1, Number(id.slice(8) || 1));

function parseHour(match: RegExpExecArray): Nominal | null {
  const [, hour, sign, hours, minutes, seconds] = match;
  const localMs = Date.parse(`${hour}:00Z`);
  const offsetMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0)) * 1000;
  if (!Number.isFinite(localMs) || offsetMs > widestOffsetMs) return null;
  const startsMs = localMs - (sign === '-' ? -offsetMs : offsetMs);
  return { every: 'hour', ordinal: startsMs / hourMs, startsMs };
}

// ── The zone's clock, from Intl. ──

const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which the zone's clock is ahead of UTC at this instant. */
export function offsetAt(zone: string, timeMs: number): number {
  if (zone === 'UTC') return 0;
  let format = formats.get(zone);
  if (format === undefined) {
    format = createFormat(zone);
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(timeMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  const wholeSecondMs = Math.floor(timeMs / 1000) * 1000;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecondMs;
}

const createFormat = (zone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });

/** Zones are IANA names of letters, digits and `_ + - /`: their text is part of the address id. */
const zoneName = /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/;

export function isTimezone(zone: string): boolean {
  if (!zoneName.test(zone)) return false;
  try {
    createFormat(zone);
    return true;
  } catch {
    return false;
  }
}

/** The rule's part of an address id: `day@Asia/Ho_Chi_Minh`. The zone's name as declared: zone data versions resolve aliases differently. */
export const ruleText = (rule: WindowRule | undefined): string =>
  rule === undefined ? '' : `${rule.every}@${rule.timezone ?? 'UTC'}`;
