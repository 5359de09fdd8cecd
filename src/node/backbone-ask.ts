/** Asking the server on a line: as somebody who runs already, and again where that does no harm. */
import { CffbrwError } from '../error.ts';
import { type Answer, connectionLost, tablesMissing, type Value } from './backbone-connection.ts';
import type { Line } from './backbone-line.ts';
import type { Session } from './backbone-session.ts';

export async function ask(line: Line, text: string, values: readonly Value[] = []): Promise<readonly Answer[]> {
  return (await reach(line)).ask(text, values);
}

/** A server that must not be used any more is out of reach, for who runs already: nothing was done, and it is tried again. */
export async function reach(line: Line): Promise<Session> {
  try {
    return await line.session();
  } catch (error) {
    if (!(error instanceof CffbrwError) || error.code !== 'INVALID_APP') throw error;
    const { message, fix } = error;
    throw new CffbrwError('UNREACHABLE', message, { ...(fix !== undefined && { fix }), cause: error.cause });
  }
}

/** Tried again on a new session where that does no harm: what is harmless twice, since the old one may have been dead for long. */
export const twice = <Result>(work: () => Promise<Result>): Promise<Result> => again(work, [connectionLost, tablesMissing]);

/** What was refused because the tables were not there, was not done. */
export const onceTablesAreThere = <Result>(work: () => Promise<Result>): Promise<Result> => again(work, [tablesMissing]);

async function again<Result>(work: () => Promise<Result>, causes: readonly Error[]): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!causes.some((cause) => cause === (error as Error).cause)) throw error;
    return work();
  }
}

/** A list of texts as the server reads an array. */
export const arrayOf = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : `"${value.replaceAll(/[\\"]/g, '\\$&')}"`)).join(',')}}`;
