/** Log entries as lines of JSON, which Workers Logs takes apart. */
import type { Log } from '../http/problem.ts';

export const workerLog: Log = ({ level, message, cause, ...rest }) => {
  const line = JSON.stringify({ level, message, ...rest, ...(cause !== undefined && { cause: textOf(cause) }) });
  if (level === 'error') console.error(line);
  else if (level === 'warn') console.warn(line);
  else console.log(line);
};

const textOf = (cause: unknown): string => (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
