/** How figures are spread, in characters: one row for each document, all over one axis. */
import { type Facet, figure } from './report-words.ts';
import type { Distribution } from './result.ts';

const levels = ' ▁▂▃▄▅▆▇█';
const mostColumns = 48;

interface Axis {
  readonly from: number;
  /** What one column stands for. */
  readonly step: number;
  readonly columns: number;
}

export function histogramText(facets: readonly Facet[]): string {
  const axis = axisOf(facets.map(({ watched }) => watched));
  const width = Math.max(...facets.map(({ label }) => label.length));
  const rows = facets.map(({ label, watched }) => `  ${label.padEnd(width)}  ${barsOf(watched, axis)}`.trimEnd());
  return [...rows, `  ${' '.repeat(width)}  ${ticksOf(axis)}`].join('\n');
}

const isWhole = ({ buckets }: Distribution): boolean =>
  buckets.every(({ from, to }) => Number.isInteger(from) && Number.isInteger(to));

/** Whole figures get up to four columns each while there is room. */
function axisOf(all: readonly Distribution[]): Axis {
  const from = Math.min(...all.map(({ min }) => min));
  const range = Math.max(...all.map(({ max }) => max)) - from;
  if (!all.every(isWhole)) return { from, step: range === 0 ? 1 : range / (mostColumns - 1), columns: mostColumns };
  const each = Math.min(4, Math.floor(mostColumns / (range + 1)));
  if (each > 0) return { from, step: 1 / each, columns: (range + 1) * each };
  const step = Math.ceil((range + 1) / mostColumns);
  return { from, step, columns: Math.floor(range / step) + 1 };
}

/** What falls into a part of a bucket is that part of its count. */
function barsOf({ buckets }: Distribution, { from, step, columns }: Axis): string {
  const heights = new Array<number>(columns).fill(0);
  for (const bucket of buckets) {
    const first = (bucket.from - from) / step;
    const last = (bucket.to - from) / step;
    for (let column = Math.max(0, Math.floor(first)); column < Math.min(columns, last); column += 1) {
      const part = (Math.min(last, column + 1) - Math.max(first, column)) / (last - first);
      heights[column] = (heights[column] ?? 0) + bucket.count * part;
    }
  }
  const tallest = Math.max(...heights);
  return heights.map((height) => levels[height === 0 ? 0 : Math.max(1, Math.round((height / tallest) * 8))]).join('');
}

/** A figure about every ten columns, at the column where it begins. */
function ticksOf({ from, step, columns }: Axis): string {
  const apart = step < 1 ? Math.ceil(8 * step) / step : 10;
  let line = '';
  for (let column = 0; column < columns; column += apart) line = line.padEnd(column) + figure(from + column * step);
  return line;
}
