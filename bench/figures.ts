/** What a benchmark gives: figures with units, ratios to an alternative measured in the same run, and targets that are met or missed. */

/** How a figure is printed, and which way is better. */
export const units = {
  'requests/s': { better: 'more' },
  'operations/s': { better: 'more' },
  'runs/s': { better: 'more' },
  'takes/s': { better: 'more' },
  ns: { better: 'less' },
  ms: { better: 'less' },
  MB: { better: 'less' },
  bytes: { better: 'less' },
} as const;

export type Unit = keyof typeof units;

export interface Ratio {
  /** The row that this one is compared with. */
  readonly to: string;
  /** How many times better (above 1) or worse (below 1) this row is. */
  readonly times: number;
}

export interface Target {
  /** As a reader says it: `≥ 0.8 × bare Hono`. */
  readonly text: string;
  readonly met: boolean;
}

export interface Row {
  readonly name: string;
  readonly unit: Unit;
  readonly figure: number;
  readonly ratios: readonly Ratio[];
  readonly targets: readonly Target[];
  /** What else was seen: percentiles, a base line. */
  readonly note?: string;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface PartResult {
  readonly part: string;
  readonly tables: readonly Table[];
  /** What was measured how, and what was not measured. */
  readonly notes: readonly string[];
  /** Answers or counts that were wrong: a fast wrong answer is no figure. */
  readonly wrong: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
  readonly date: string;
  /** The file system of the data, because durability costs what it costs there. */
  readonly fileSystem: string;
}

export interface Results {
  readonly size: 'small' | 'large';
  readonly machine: Machine;
  readonly parts: readonly PartResult[];
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Figures of several rounds: round i of one series was measured next to round i of every other. */
export type Series = readonly number[];

/** How many times better `mine` is than `theirs`: the median of the rounds' own ratios, because timings drift between rounds. */
export function timesBetter(unit: Unit, mine: Series, theirs: Series): number {
  if (mine.length !== theirs.length) throw new Error(`${mine.length} rounds cannot be paired with ${theirs.length}`);
  const ratios = mine.map((figure, round) => figure / (theirs[round] as number));
  return median(units[unit].better === 'more' ? ratios : ratios.map((ratio) => 1 / ratio));
}

const ratioTo = ({ ratios }: Pick<Row, 'ratios'>, to: string): Ratio => {
  const ratio = ratios.find((one) => one.to === to);
  if (ratio === undefined) throw new Error(`there is no ratio to ${to}`);
  return ratio;
};

export const atLeastTimes = (row: Pick<Row, 'ratios'>, to: string, times: number): Target => ({
  text: `≥ ${times} × ${to}`,
  met: ratioTo(row, to).times >= times,
});

/** Of a figure where less is better: it may be so many times as large. */
export const atMostTimes = (row: Pick<Row, 'ratios'>, to: string, times: number): Target => ({
  text: `≤ ${times} × ${to}`,
  met: ratioTo(row, to).times * times >= 1,
});

export const atLeast = (figure: number, unit: Unit, least: number): Target => ({
  text: `≥ ${format(least, unit)}`,
  met: figure >= least,
});
export const atMost = (figure: number, unit: Unit, most: number): Target => ({
  text: `≤ ${format(most, unit)}`,
  met: figure <= most,
});

export const within = (ratio: number, percent: number, of: string): Target => ({
  text: `within ± ${percent} % of ${of}`,
  met: ratio >= 1 - percent / 100 && ratio <= 1 + percent / 100,
});

/** Three digits that mean something, and the unit. */
export function format(figure: number, unit: Unit): string {
  const size = Math.abs(figure);
  if (unit === 'ns' && size >= 10_000) return `${digits(figure / 1_000)} µs`;
  if (size >= 1_000_000) return `${digits(figure / 1_000_000)} M ${unit}`;
  if (size >= 10_000) return `${digits(figure / 1_000)} k ${unit}`;
  return `${digits(figure)} ${unit}`;
}

export const formatTimes = (times: number): string => `${digits(times)} ×`;

function digits(figure: number): string {
  const size = Math.abs(figure);
  if (size >= 100) return String(Math.round(figure));
  if (size >= 10) return trimZeros(figure.toFixed(1));
  return size >= 0.1 ? trimZeros(figure.toFixed(2)) : String(Number(figure.toPrecision(2)));
}

const trimZeros = (text: string): string => text.replace(/\.?0+$/, '');
