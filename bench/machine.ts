/** Facts of the machine that the figures belong to. */
import { readFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import type { Machine } from './figures.ts';

export function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-')[0]}`,
    node: process.version.slice(1),
    date: new Date().toISOString().slice(0, 10),
    fileSystem: fileSystemOf(tmpdir()),
  };
}

/** The type of the mount that holds a path, as Linux tells it. */
function fileSystemOf(path: string): string {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, at = '?']) => path === at || path.startsWith(at.endsWith('/') ? at : `${at}/`));
    const longest = mounts.reduce(
      (best, mount) => ((mount[1] ?? '').length >= (best[1] ?? '').length ? mount : best),
      ['', '', 'unknown'],
    );
    return longest[2] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
