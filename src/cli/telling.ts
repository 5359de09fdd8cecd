/** What the log is told of a location: alarms, why its backbone is not used, and what goes on meanwhile. */
import type { CffbrwError } from '../error.ts';
import type { Log } from '../http/index.ts';
import type { Reach } from '../node/backbone-reach.ts';
import type { Alarm, Replica } from '../replica/index.ts';
import { describeError } from './command.ts';
import type { LocationOptions } from './locations.ts';
import { printAlarm, printLog } from './print.ts';

export type Told = Required<Pick<LocationOptions, 'alarm' | 'refused' | 'reach'>>;

/** Without a log the terminal is told. */
export const telling = (log: Log | undefined): Told => ({
  alarm: log === undefined ? printAlarm : tellAlarm(log),
  refused: (error) => tellRefusal(log ?? printLog, error),
  reach: (reach, replica) => (log ?? printLog)(reach.reached ? againOf(reach) : lostOf(reach.error, replica)),
});

const tellAlarm =
  (log: Log) =>
  ({ kind, message }: Alarm): void =>
    log({ level: 'error', message: `ALARM ${kind}: ${message}` });

const tellRefusal = (log: Log, error: CffbrwError): void =>
  log({ level: 'error', message: `the backbone is not used: ${describeError(error)}` });

function lostOf({ message, fix }: CffbrwError, replica: Replica): Parameters<Log>[0] {
  const { frozen } = replica.status;
  const units = replica.leases().reduce((sum, lease) => sum + lease.units, 0);
  const takes = `Of bounded counters ${units} unit(s) are leased here, and takes of these go on; what else needs the others answers unreachable.`;
  // Of a question it is no matter whether it was done.
  const why = message.replace(/: whether it was done is not known$/, '');
  const all = [
    `the backbone does not answer: ${why}.`,
    fix,
    'Reads and writes go on here.',
    frozen === null ? takes : capital(frozen),
  ];
  return { level: 'warn', message: all.filter((text) => text !== undefined).join(' '), data: { leased: units } };
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const againOf = ({ afterMs, waited }: Extract<Reach, { reached: true }>): Parameters<Log>[0] => ({
  level: 'info',
  message: `the backbone answers again, after ${(afterMs / 1_000).toFixed(1)} s; ${waited} row(s) had to wait for it`,
  data: { afterMs: Math.round(afterMs), waited },
});
