/**
 * Logs as lines of JSON, on standard error. A line has the run's id where there is one: the id that the client was given as a problem's
 * `instance`, and under which the admin API has the run.
 *
 * Never: writes the value of a secret, wherever it stands in an entry; writes more than one line for an entry.
 */
import { type DestinationStream, destination, pino, stdSerializers } from 'pino';
import { CffbrwError } from '../error.ts';
import type { Log } from '../http/problem.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevelName = (typeof logLevels)[number];

export interface LogOptions {
  readonly app: string;
  readonly level?: LogLevelName;
  /** Values that no line may hold. */
  readonly secrets?: Iterable<string>;
  /** Default: standard error. */
  readonly stream?: DestinationStream;
}

/** Throws INVALID_APP for a name that is no level. */
export function logLevelOf(name: string | undefined): LogLevelName {
  if (name === undefined || name === '') return 'info';
  const found = logLevels.find((level) => level === name);
  if (found !== undefined) return found;
  throw new CffbrwError('INVALID_APP', `there is no log level ${name.slice(0, 40)}`, { fix: `Use ${logLevels.join(', ')}.` });
}

export function createLog({ app, level = 'info', secrets = [], stream }: LogOptions): Log {
  const redact = redacting(secrets);
  const logger = pino(
    {
      level,
      base: { app },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { cause: causeOf },
      hooks: { streamWrite: redact },
    },
    stream ?? destination({ fd: 2, sync: true }),
  );
  return ({ level: at, message, ...rest }) => logger[at](rest, message);
}

const causeOf = (cause: unknown): unknown => {
  if (!(cause instanceof Error)) return cause;
  const { type, message, stack, code } = stdSerializers.err(cause);
  return { type, message, ...(code !== undefined && { code }), stack };
};

/** Replaces every secret in a line, as it stands in JSON. A short one would be found where it is none, and is let through. */
function redacting(secrets: Iterable<string>): (line: string) => string {
  const minLength = 4;
  const written = [...secrets]
    .filter((secret) => secret.length >= minLength)
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  written.sort((a, b) => b.length - a.length);
  return (line) => written.reduce((text, secret) => text.replaceAll(secret, '[secret]'), line);
}
