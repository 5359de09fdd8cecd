/** When schedules are due, also on the days on which clocks are set. */
import { describe, expect, test } from 'vitest';
import { parseSchedule } from '../../src/workflow/schedule.ts';

const ticks = (schedule: string, timezone: string, from: string, count: number): string[] => {
  const { next } = parseSchedule({ schedule, timezone });
  const found: string[] = [];
  let at: number | null = Date.parse(`${from}Z`);
  while (found.length < count && at !== null) {
    at = next(at);
    if (at !== null) found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
};

test.each([
  ['*/5 * * * *', 'UTC', '2026-01-01T00:00', ['2026-01-01T00:05', '2026-01-01T00:10']],
  ['0 9 * * 1-5', 'Asia/Ho_Chi_Minh', '2026-11-20T00:00', ['2026-11-20T02:00', '2026-11-23T02:00']],
  ['0 0 L * *', 'UTC', '2026-02-01T00:00', ['2026-02-28T00:00', '2026-03-31T00:00']],
  ['0 0 29 2 *', 'UTC', '2026-02-01T00:00', ['2028-02-29T00:00', '2032-02-29T00:00']],
  ['@daily', 'UTC', '2026-02-01T00:00', ['2026-02-02T00:00', '2026-02-03T00:00']],
])('%s in %s', (schedule, timezone, from, expected) => {
  expect(ticks(schedule, timezone, from, 2)).toEqual(expected);
});

describe('when clocks are set', () => {
  test('a skipped local time is due an hour later by the clock, once', () => {
    const expected = ['2026-03-28T01:30', '2026-03-29T01:30', '2026-03-30T00:30'];
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00', 3)).toEqual(expected);
  });

  test('a doubled local time is due the first time only', () => {
    const expected = ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'];
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00', 3)).toEqual(expected);
  });

  test.each([
    ['*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:30', 30],
    ['*/30 * * * *', 'Europe/Berlin', '2026-03-28T23:30', 30],
    ['0 * * * *', 'America/New_York', '2026-11-01T03:00', 60],
    ['*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T13:00', 15],
  ])('%s in %s passes through the change without a gap', (schedule, timezone, from, minutes) => {
    const found = ticks(schedule, timezone, from, 16).map((text) => Date.parse(`${text}Z`));
    const gaps = found.slice(1).map((tick, index) => (tick - (found[index] ?? 0)) / 60_000);
    expect(new Set(gaps)).toEqual(new Set([minutes]));
  });
});

test('The latest tick is the last one of the time asked for', () => {
  const { latest } = parseSchedule({ schedule: '*/5 * * * *', timezone: 'UTC' });
  expect([latest(0, 299_999), latest(0, 300_000), latest(0, 1_000_000), latest(900_000, 1_000_000)]).toEqual([
    null,
    300_000,
    900_000,
    null,
  ]);
});

test.each([
  ['* * *', 'UTC', /exactly five/],
  ['* * * * * *', 'UTC', /requires exactly 5 parts/],
  ['61 * * * *', 'UTC', /minute: 61/],
  ['? * * * *', 'UTC', /depends on when it is read/],
  ['@reboot', 'UTC', /not supported/],
  ['0 0 30 2 *', 'UTC', /never due/],
  ['* * * * *', 'Mars/Base', /no time zone `Mars\/Base`/],
])('%s in %s is refused', (schedule, timezone, message) => {
  expect(() => parseSchedule({ schedule, timezone })).toThrow(message);
});
