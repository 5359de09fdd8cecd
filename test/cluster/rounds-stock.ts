/** The app of the rounds with so many units, and the sale of all that is left. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Site } from './cluster.ts';
import type { Book } from './rounds-book.ts';
import { pause, take } from './rounds-load.ts';

const kiosk = join(import.meta.dirname, 'kiosk');

export const soldWithinMs = 10_000;

/** A copy of the app with so many units. */
export async function kioskWith(home: string, units: number): Promise<string> {
  const directory = join(home, 'app');
  await cp(kiosk, directory, { recursive: true });
  const file = join(directory, 'cffbrw.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('initial: 100', `initial: ${units}`));
  return directory;
}

/** Eight at each process buy what they can get, again and again: what was given back is there again a contact later. When the last one sold. */
export async function sellOut(
  sites: readonly Site[],
  book: Book,
  { stock, fromMs }: { readonly stock: number; readonly fromMs: number },
) {
  const untilMs = fromMs + soldWithinMs;
  let last = fromMs;
  const buyer = async (site: Site) => {
    for (let units = Math.ceil(stock / 200); performance.now() < untilMs; ) {
      const { receipt, reason } = await take(book, { name: site.name, url: site.app?.url ?? null }, { units, key: null });
      if (receipt !== null) last = performance.now();
      else if (units > 1) units = Math.ceil(units / 4);
      else if (reason === 'exhausted') return;
      else await pause(20);
    }
  };
  for (let quiet = 0; quiet < 2 && performance.now() < untilMs; await pause(600)) {
    const before = last;
    await Promise.all(sites.flatMap((site) => Array.from({ length: 8 }, () => buyer(site))));
    quiet = last === before ? quiet + 1 : 0;
  }
  return Math.round(last - fromMs);
}
