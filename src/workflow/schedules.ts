/** Schedules, from their fields to their runs. */
import { startCron } from './cron.ts';
import { parseSchedule } from './schedule.ts';

export interface Schedules {
  readonly parseSchedule: typeof parseSchedule;
  readonly startCron: typeof startCron;
}

export const schedules: Schedules = { parseSchedule, startCron };
