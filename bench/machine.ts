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

/** How busy all processors are with something else, in percent, over a second in which this process does nothing. */
export async function busyPercent(): Promise<number> {
  const before = processorTimes();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = processorTimes();
  const whole = after.whole - before.whole;
  return whole === 0 ? 0 : Math.round((1 - (after.idle - before.idle) / whole) * 100);
}

function processorTimes(): { readonly idle: number; readonly whole: number } {
  const all = cpus().map(({ times }) => times);
  const idle = all.reduce((sum, times) => sum + times.idle, 0);
  return { idle, whole: all.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, idle) };
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
