/** "Did you mean …?" */

/** The edit distance of two words (Levenshtein 1966), where swapping neighbours counts once (Damerau 1964). */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The candidate that is most like `word`, or null when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > 100) return null;
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.floor(word.length / 3) + 1) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const found = distance(word.toLowerCase(), candidate.toLowerCase());
    if (found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** `Did you mean a?`, or the list of what there is, or that there is nothing. */
export function suggestion(word: string, candidates: Iterable<string>, prefix = ''): string {
  const names = [...candidates];
  const near = nearest(word, names);
  if (near !== null) return `Did you mean \`${prefix}${near}\`?`;
  if (names.length === 0) return 'There is none here.';
  const shown = names.slice(0, 12).map((name) => `\`${prefix}${name}\``);
  return `There is ${shown.join(', ')}${names.length > shown.length ? ' …' : ''}.`;
}
