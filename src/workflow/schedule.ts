/**
 * When a schedule is due: five cron fields on the clock of a time zone. Pure: every time is given.
 *
 * croner finds the local times that fit the fields; what they are when clocks are set is decided here. A local time that is skipped is
 * due as much later (02:30 at 03:30), one that comes twice is due the first time. A schedule for every hour (`*` first in the hours) is
 * due in each hour that passes, so also in both passes of a doubled one.
 */
import { Cron } from 'croner';
import { CffbrwError } from '../error.ts';
import { firstChange, isTimezone, offsetAt } from '../strategy/window.ts';

export interface CronRule {
  readonly schedule: string;
  readonly timezone: string;
}

export interface Schedule extends CronRule {
  /** The first tick after this time, milliseconds since 1970; null: never again. */
  next(afterMs: number): number | null;
  /** The latest tick after `afterMs`, and not after `untilMs`. */
  latest(afterMs: number, untilMs: number): number | null;
}

/** The next local time that fits the fields, as if the zone were UTC; null: never again. */
type NextLocal = (afterMs: number) => number | null;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Throws INVALID_DOCUMENT for what is no schedule, or none that is ever due. */
export function parseSchedule({ schedule, timezone }: CronRule): Schedule {
  const cron = parseFields(schedule, timezone);
  const nextLocal: NextLocal = (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  const everyHour = /^\S+\s+\*/.test(schedule.trim());
  const next = everyHour ? nextOfEveryHour(nextLocal, timezone) : nextOfSomeHours(nextLocal, timezone);
  const latest: Schedule['latest'] = (afterMs, untilMs) => {
    let found: number | null = null;
    for (let tick = next(afterMs); tick !== null && tick <= untilMs; tick = next(tick)) found = tick;
    return found;
  };
  return { schedule, timezone, next, latest };
}

function parseFields(schedule: string, timezone: string): Cron {
  const fix = 'Write five fields: minute, hour, day of month, month, day of week; `"*/5 * * * *"`, say.';
  if (!isTimezone(timezone)) {
    throw new CffbrwError('INVALID_DOCUMENT', `There is no time zone \`${timezone}\`.`, {
      fix: 'Write an IANA name: `Europe/Berlin`.',
    });
  }
  if (schedule.includes('?')) throw new CffbrwError('INVALID_DOCUMENT', '`?` in a schedule depends on when it is read.', { fix });
  let cron: Cron;
  try {
    cron = new Cron(schedule, { mode: '5-part', timezone: 'UTC', paused: true });
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '');
    throw new CffbrwError('INVALID_DOCUMENT', `\`${schedule}\` is no schedule: ${why}.`, { fix, cause: error });
  }
  // From a leap year's start: 29 February on a Monday comes within 28 years.
  if (cron.nextRun(new Date(Date.UTC(2024, 0, 1))) === null)
    throw new CffbrwError('INVALID_DOCUMENT', `\`${schedule}\` is never due.`, { fix });
  return cron;
}

function nextOfSomeHours(nextLocal: NextLocal, timezone: string): Schedule['next'] {
  return (afterMs) => {
    // From before any gap that the clock may just have jumped over.
    let local = nextLocal(afterMs + offsetAt(timezone, afterMs) - 3 * hourMs);
    while (local !== null && instantOf(local, timezone) <= afterMs) local = nextLocal(local);
    return local === null ? null : instantOf(local, timezone);
  };
}

function instantOf(localMs: number, timezone: string): number {
  const before = localMs - offsetAt(timezone, localMs - dayMs);
  const after = localMs - offsetAt(timezone, localMs + dayMs);
  const shows = (atMs: number) => atMs + offsetAt(timezone, atMs) === localMs;
  return !shows(before) && shows(after) ? after : before;
}

function nextOfEveryHour(nextLocal: NextLocal, timezone: string): Schedule['next'] {
  return (afterMs) => {
    let [fromMs, sinceMs, offsetMs] = [afterMs, afterMs, offsetAt(timezone, afterMs)];
    for (;;) {
      const local = nextLocal(fromMs + offsetMs);
      if (local === null) return null;
      const change = offsetAt(timezone, local - offsetMs) === offsetMs ? null : firstChange(timezone, sinceMs, local - offsetMs);
      if (change === null) return local - offsetMs;
      [fromMs, sinceMs, offsetMs] = [change - 1, change, offsetAt(timezone, change)];
    }
  };
}
