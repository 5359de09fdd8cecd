/** The app of the rounds with so many units, and the sale of all that is left. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Book } from './rounds-book.ts';
import { type Place, take } from './rounds-load.ts';

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

/** Eight at each place buy what they can get, again and again: what was given back is there again a contact later. When the last one sold. */
export async function sellOut(
  places: readonly Place[],
  book: Book,
  { stock, fromMs }: { readonly stock: number; readonly fromMs: number },
) {
  const { clock } = book;
  const untilMs = fromMs + soldWithinMs;
  let last = fromMs;
  const buyer = async (place: Place) => {
    for (let units = Math.ceil(stock / 200); clock.nowMs() < untilMs; ) {
      const { receipt, reason } = await take(book, place, { units, key: null });
      if (receipt !== null) last = clock.nowMs();
      else if (units > 1) units = Math.ceil(units / 4);
      else if (reason === 'exhausted') return;
      else await clock.pause(20);
    }
  };
  for (let quiet = 0; quiet < 3 && clock.nowMs() < untilMs; await clock.pause(600)) {
    const before = last;
    await Promise.all(places.flatMap((place) => Array.from({ length: 8 }, () => buyer(place))));
    quiet = last === before ? quiet + 1 : 0;
  }
  return Math.round(last - fromMs);
}
