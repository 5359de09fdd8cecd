/** The data directory that somebody has named. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CffbrwError } from '../error.ts';
import { fileName } from '../node/store-protocol.ts';

/** Where an app's data is, when nobody says otherwise. */
export const dataOf = (data: string | undefined, directory: string): string => data ?? join(directory, 'data');

/** For who works on data that is there: a wrong name must not make an empty one. Throws NOT_FOUND. */
export function checkData(data: string, directory: string): void {
  if (existsSync(join(data, fileName))) return;
  throw new CffbrwError('NOT_FOUND', `there is no data directory of an app at ${data}`, {
    fix: `The data of an app is in ${join(directory, 'data')}, unless it was started with --data.`,
  });
}
