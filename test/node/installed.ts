/** Programs of the system that tests need, and that not every machine has. */
import { execFileSync } from 'node:child_process';

/** Its path; null: it is not installed. Debian puts some where only administrators look. */
export function whereIs(program: string): string | null {
  try {
    const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
    return execFileSync('sh', ['-c', `command -v ${program}`], { env: { PATH }, encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** For the name of what is skipped without it. */
export const orSkipped = (program: string): string => (whereIs(program) === null ? ` (skipped: there is no ${program})` : '');
