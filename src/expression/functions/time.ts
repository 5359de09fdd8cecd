/** Times are integer milliseconds since 1970, and durations integer milliseconds. */
import type { Json } from '../../strategy/json.ts';
import { failed } from '../source.ts';
import { charge } from '../values.ts';
import { type Call, type FunctionEntry, integer, text } from './entry.ts';

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `30s`, `5m`, `2h`, `7d` in milliseconds; null for anything else. */
export function parseDuration(value: string): number | null {
  const [, digits, unit] = /^(\d{1,15})(ms|s|m|h|d)$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return null;
  const milliseconds = Number(digits) * (unitsMs[unit] ?? 1);
  return Number.isSafeInteger(milliseconds) ? milliseconds : null;
}

function duration(given: readonly Json[], call: Call): Json {
  const value = parseDuration(text(given, 0, call));
  if (value === null) throw failed(call.site, 'this is not a duration', 'Write an integer and ms, s, m, h or d: `30s`.');
  return value;
}

const isoTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Only what means the same everywhere: a date alone is midnight UTC, and a time of day needs its offset. */
function time(given: readonly Json[], call: Call): Json {
  const value = text(given, 0, call);
  const milliseconds = isoTime.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(milliseconds) || !realDay(value)) {
    throw failed(call.site, 'this is not a time', 'Write it as `2026-11-20T09:30:00Z` or `2026-11-20T09:30:00+07:00`.');
  }
  return milliseconds;
}

/** V8 takes 30 February for 2 March. */
function realDay(value: string): boolean {
  const day = new Date(`${value.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === value.slice(0, 10);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const maxFormats = 100;
const furthestMs = 8_640_000_000_000_000;

function iso(given: readonly Json[], call: Call): Json {
  const milliseconds = integer(given, 0, call);
  const date = new Date(milliseconds);
  const year = Math.abs(milliseconds) <= furthestMs ? date.getUTCFullYear() : Number.NaN;
  if (!(year >= 1 && year <= 9998))
    throw failed(call.site, 'this time is not between the years 1 and 9998', 'Times are milliseconds since 1970.');
  if (given.length === 1) return date.toISOString();
  charge(call.frame.fuel, 600, call.site);
  return inZone(date, formatFor(text(given, 1, call), call));
}

function formatFor(zone: string, call: Call): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  charge(call.frame.fuel, 5_000, call.site);
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    if (formats.size < maxFormats) formats.set(zone, format);
    return format;
  } catch {
    throw failed(
      call.site,
      `\`${zone.slice(0, 40)}\` is not a time zone`,
      'Write an IANA name: `Europe/Berlin`, `Asia/Ho_Chi_Minh`.',
    );
  }
}

/**
 * The local time with its offset: what the clocks there show, taken as if it were UTC, differs from UTC by the offset. (Date.UTC takes
 * the year 99 for 1999, so the year is set on its own; 2000 is a leap year.)
 */
function inZone(date: Date, format: Intl.DateTimeFormat): string {
  const part = new Map(format.formatToParts(date).map(({ type, value }) => [type, Number(value)]));
  const of = (type: Intl.DateTimeFormatPartTypes) => part.get(type) ?? 0;
  const local = Date.UTC(2000, of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  const shown = new Date(local);
  shown.setUTCFullYear(of('year'));
  const withMilliseconds = shown.getTime() + (((date.getTime() % 1000) + 1000) % 1000);
  const offsetMinutes = Math.round((withMilliseconds - date.getTime()) / 60_000);
  const sign = offsetMinutes < 0 ? '-' : '+';
  const hours = String(Math.floor(Math.abs(offsetMinutes) / 60)).padStart(2, '0');
  const minutes = String(Math.abs(offsetMinutes) % 60).padStart(2, '0');
  return `${new Date(withMilliseconds).toISOString().slice(0, -1)}${sign}${hours}:${minutes}`;
}

export const durationFunction: FunctionEntry = {
  name: 'duration',
  parameters: 'text',
  summary: 'Milliseconds of an integer with ms, s, m, h or d.',
  example: "duration('5m')",
  result: 300_000,
  pure: true,
  call: duration,
};

export const timeFunction: FunctionEntry = {
  name: 'time',
  parameters: 'text',
  summary: 'Milliseconds since 1970 of an ISO 8601 time with its offset, or of a date (midnight UTC).',
  example: "time('2026-11-20T09:30:00+07:00')",
  result: 1_795_141_800_000,
  pure: true,
  call: time,
};

export const isoFunction: FunctionEntry = {
  name: 'iso',
  parameters: 'ms, zone?',
  summary: 'A time as ISO 8601, in UTC or in an IANA zone.',
  example: "iso(0, 'Asia/Tokyo')",
  result: '1970-01-01T09:00:00.000+09:00',
  pure: true,
  call: iso,
};

export const nowFunction: FunctionEntry = {
  name: 'now',
  parameters: '',
  summary: 'When the run began, in milliseconds since 1970: the same everywhere in a run.',
  example: 'now()',
  result: null,
  pure: false,
  call: (_given, { frame }) => frame.now(),
};

export const randomFunction: FunctionEntry = {
  name: 'random',
  parameters: '',
  summary: 'A number from 0 up to, not including, 1. The run seeds it, so a retry draws the same.',
  example: 'random() < 0.5',
  result: null,
  pure: false,
  call: (_given, { frame }) => frame.random(),
};

export const uuidFunction: FunctionEntry = {
  name: 'uuid',
  parameters: '',
  summary: 'A new UUID. A retry of the run gets the same one.',
  example: 'uuid()',
  result: null,
  pure: false,
  call: (_given, { frame }) => frame.uuid(),
};

export const timeFunctions: readonly FunctionEntry[] = [
  durationFunction,
  timeFunction,
  isoFunction,
  nowFunction,
  randomFunction,
  uuidFunction,
];
