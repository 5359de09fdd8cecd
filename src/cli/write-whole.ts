import { rename, rm, writeFile } from 'node:fs/promises';
import { UsageError } from './command.ts';

/** A half-written file never stands under the name of a whole one. Throws a UsageError where nothing can be written. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await writeFile(part, content);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new UsageError(`${file} can't be written: ${reasons[code] ?? code}.`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is not there',
  EISDIR: 'it is a folder',
  EACCES: 'this is not allowed here',
  EROFS: 'nothing can be written here',
  ENOSPC: 'the disk is full',
};
