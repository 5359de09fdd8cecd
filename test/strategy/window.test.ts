import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTimezone, isTombstone, previousWindow, type WindowRule, windowAt, windowOf } from '../../src/strategy/window.ts';
import { runs } from './cluster.ts';

const hourMs = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const zones = [
  'UTC',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Havana',
  'Africa/Casablanca',
  'Africa/Monrovia',
  'Pacific/Apia',
  'Pacific/Kwajalein',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Asia/Tehran',
  'Antarctica/Troll',
  'Etc/GMT+12',
] as const;
const periods = ['hour', 'day', 'week', 'month'] as const;
const rules: fc.Arbitrary<WindowRule> = fc.record({ every: fc.constantFrom(...periods), timezone: fc.constantFrom(...zones) });
/** Any time to 2040, often near the hours in which clocks are changed. */
const times = fc.oneof(
  fc.integer({ min: at('1970-02-05T00:00Z'), max: at('2040-01-01T00:00Z') }),
  fc
    .tuple(
      fc.constantFrom(
        '2026-03-29',
        '2026-10-25',
        '2026-04-04',
        '2026-10-03',
        '2011-12-30',
        '1993-08-21',
        '2010-11-07',
        '2018-11-04',
        '1972-01-07',
      ),
      fc.integer({ min: -30 * hourMs, max: 30 * hourMs }),
    )
    .map(([day, offsetMs]) => at(`${day}T00:00Z`) + offsetMs),
);

describe('windows tile time', () => {
  test('each instant lies in its window, whose neighbours begin and end where it ends and begins', () => {
    fc.assert(
      fc.property(rules, times, (rule, timeMs) => {
        const window = windowAt(rule, timeMs);
        expect(window.startsMs).toBeLessThanOrEqual(timeMs);
        expect(window.endsMs).toBeGreaterThan(timeMs);
        const next = windowAt({ ...rule }, window.endsMs);
        const previous = previousWindow({ ...rule }, timeMs);
        expect([previous.endsMs, next.startsMs]).toEqual([window.startsMs, window.endsMs]);
        expect(new Set([previous.id, window.id, next.id]).size).toBe(3);
        expect(windowAt({ ...rule }, window.endsMs - 1)).toEqual(window);
        expect(windowAt({ ...rule }, window.startsMs)).toEqual(window);
      }),
      { numRuns: runs(300) },
    );
  });

  test('an id names its window again, and no other rule form takes it', () => {
    fc.assert(
      fc.property(rules, times, (rule, timeMs) => {
        const window = windowAt(rule, timeMs);
        for (const fresh of [rule, { ...rule }]) expect(windowOf(fresh, window.id)).toEqual(window);
        expect(window.id).not.toContain(':');
        for (const every of periods) if (every !== rule.every) expect(windowOf({ ...rule, every }, window.id)).toBeNull();
      }),
      { numRuns: runs(200) },
    );
  });

  test('over a year the ids never repeat, and days hold 23 to 25 hours', () => {
    const hours = windowsOf({ every: 'hour', timezone: 'Australia/Lord_Howe' }, 2011);
    expect(new Set(hours.map(({ id }) => id)).size).toBe(hours.length);
    for (const timezone of ['Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia'] as const) {
      const days = windowsOf({ every: 'day', timezone }, 2011);
      expect(new Set(days.map(({ id }) => id)).size).toBe(days.length);
      for (const { startsMs, endsMs } of days) expect(Math.abs((endsMs - startsMs) / hourMs - 24)).toBeLessThanOrEqual(1);
    }
  });
});

function windowsOf(rule: WindowRule, year: number) {
  const windows = [windowAt(rule, Date.UTC(year, 0, 2))];
  for (let last = windows[0]; last !== undefined && last.endsMs < Date.UTC(year + 1, 0, 2); last = windows.at(-1)) {
    windows.push(windowAt(rule, last.endsMs));
  }
  return windows;
}

describe('days', () => {
  const days = (timezone: string, ...isos: string[]) => isos.map((iso) => windowAt({ every: 'day', timezone }, at(iso)).id);
  const length = (timezone: string, iso: string): number => {
    const { startsMs, endsMs } = windowAt({ every: 'day', timezone }, at(iso));
    return (endsMs - startsMs) / hourMs;
  };

  test('begin at the zone’s midnight', () => {
    expect(days('Asia/Ho_Chi_Minh', '2026-11-20T16:59:59Z', '2026-11-20T17:00Z')).toEqual(['2026-11-20', '2026-11-21']);
    expect(days('Asia/Kathmandu', '2026-11-20T18:14:59Z', '2026-11-20T18:15Z')).toEqual(['2026-11-20', '2026-11-21']);
  });

  test('have 23, 25, 23.5 or 24.5 hours where clocks change', () => {
    expect(length('Europe/Berlin', '2026-03-29T12:00Z')).toBe(23);
    expect(length('Europe/Berlin', '2026-10-25T12:00Z')).toBe(25);
    expect(length('Australia/Lord_Howe', '2026-04-05T00:00Z')).toBe(24.5);
    expect(length('Australia/Lord_Howe', '2026-10-04T00:00Z')).toBe(23.5);
  });

  test('that a zone skipped have no window', () => {
    expect(days('Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-30T10:00Z')).toEqual(['2011-12-29', '2011-12-31']);
    expect(windowOf({ every: 'day', timezone: 'Pacific/Apia' }, '2011-12-30')).toBeNull();
  });

  test('do not open again when the clock is set back over midnight', () => {
    // St John's went from 00:01 on the 7th back to 23:01 on the 6th.
    const [before, midnight, after] = ['2010-11-07T02:29:59Z', '2010-11-07T02:30Z', '2010-11-07T02:31Z'];
    expect(days('America/St_Johns', before, midnight, after)).toEqual(['2010-11-06', '2010-11-07', '2010-11-07']);
  });
});

describe('hours', () => {
  const hours = (timezone: string, ...isos: string[]) => isos.map((iso) => windowAt({ every: 'hour', timezone }, at(iso)));

  test('that a clock goes through twice are two windows', () => {
    const [first, second] = hours('Europe/Berlin', '2026-10-25T00:30Z', '2026-10-25T01:30Z');
    expect([first?.id, second?.id]).toEqual(['2026-10-25T02+0200', '2026-10-25T02+0100']);
    expect(first?.endsMs).toBe(second?.startsMs);
  });

  test('are cut where half an hour is repeated or skipped', () => {
    const minutes = hours('Australia/Lord_Howe', '2026-04-04T14:30Z', '2026-04-04T15:10Z', '2026-10-03T15:40Z').map(
      ({ id, startsMs, endsMs }) => [id, (endsMs - startsMs) / 60_000],
    );
    expect(minutes).toEqual([
      ['2026-04-05T01+1100', 60],
      ['2026-04-05T01+1030', 30],
      ['2026-10-04T02+1100', 30],
    ]);
  });

  test('end where the clock leaves them, if only after a minute', () => {
    const rule = { every: 'hour', timezone: 'America/St_Johns' } as const;
    const window = windowAt(rule, at('2010-11-07T02:30:30Z'));
    expect(window).toEqual({ id: '2010-11-07T00-0230', startsMs: at('2010-11-07T02:30Z'), endsMs: at('2010-11-07T02:31Z') });
    expect(windowAt(rule, window.endsMs).id).toBe('2010-11-06T23-0330');
    expect(windowOf(rule, window.id)).toEqual(window);
  });

  test('carry the offset, quarters and seconds included', () => {
    expect(hours('Asia/Kathmandu', '2026-11-20T06:20Z')[0]?.id).toBe('2026-11-20T12+0545');
    expect(hours('Africa/Monrovia', '1971-06-01T12:00Z')[0]?.id).toBe('1971-06-01T11-004430');
  });
});

test('weeks are ISO weeks, months are months', () => {
  const week = (iso: string) => windowAt({ every: 'week' }, at(iso)).id;
  expect(['2026-11-20', '2026-11-22', '2026-11-23', '2027-01-03', '2025-12-29', '2021-01-03'].map(week)).toEqual([
    '2026-W47',
    '2026-W47',
    '2026-W48',
    '2026-W53',
    '2026-W01',
    '2020-W53',
  ]);
  expect(windowAt({ every: 'month', timezone: 'Asia/Ho_Chi_Minh' }, at('2026-11-30T17:00Z')).id).toBe('2026-12');
});

describe('tombstones', () => {
  test.each(
    periods,
  )('of a %s rule: the current window and `keep` closed ones are open to late writes, older ones are not', (every) => {
    const rule = { every, timezone: 'UTC', keep: 2 } as const;
    const now = at('2026-11-20T13:30Z');
    const [one, two, three] = back({ every, timezone: 'UTC' }, now, 3);
    expect([windowAt(rule, now).id, one, two, three].map((id) => isTombstone(rule, id ?? '', now))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('seven closed windows are kept by default', () => {
    const ids = back({ every: 'day' }, at('2026-11-20T13:30Z'), 8);
    expect(ids.map((id) => isTombstone({ every: 'day' }, id, at('2026-11-20T13:30Z')))).toEqual([...Array(7).fill(false), true]);
  });

  test.each([
    '',
    '2026-13-01',
    '2026-02-30',
    'x',
    '2026-W54',
    '2026-11',
    '9999999',
  ])('"%s" is no day, so nobody may open it', (id) => {
    expect(isTombstone({ every: 'day' }, id, at('2026-11-20T13:30Z'))).toBe(true);
    expect(windowOf({ every: 'day' }, id)).toBeNull();
  });

  function back(rule: WindowRule, timeMs: number, count: number): string[] {
    const ids: string[] = [];
    for (let window = windowAt(rule, timeMs); ids.length < count; ids.push(window.id))
      window = previousWindow(rule, window.startsMs);
    return ids;
  }
});

test('a clock outside the years 1970 to 9999 is refused', () => {
  for (const timeMs of [-1, Number.NaN, 8.64e15]) expect(() => windowAt({ every: 'day' }, timeMs)).toThrow(/1970/);
});

test('time zones are IANA names, never with a colon', () => {
  expect(['UTC', 'Asia/Ho_Chi_Minh', 'Etc/GMT+7', 'America/Argentina/Buenos_Aires'].every(isTimezone)).toBe(true);
  expect(['+07:00', 'Mars/Olympus', '', 'a:b', 'UTC '].some(isTimezone)).toBe(false);
});
