/** Measures alternatives in turns (A B C A B C …), after a warm-up, and pairs what was measured next to each other. */
import { median, type Ratio, type Series, timesBetter, type Unit } from './figures.ts';

export interface Contender {
  readonly name: string;
  /** Runs once, and returns the figure. What it computes must be used, or the compiler leaves it out. */
  measure(): number | Promise<number>;
}

export interface Measured {
  readonly name: string;
  readonly unit: Unit;
  readonly series: Series;
  readonly figure: number;
  times(other: Measured): Ratio;
}

export async function inRounds(contenders: readonly Contender[], unit: Unit, rounds: number): Promise<Map<string, Measured>> {
  const series = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const contender of contenders) {
      const figure = await contender.measure();
      if (round >= 0) series.get(contender.name)?.push(figure);
    }
  }
  return new Map([...series].map(([name, figures]) => [name, measured(name, unit, figures)]));
}

export const measured = (name: string, unit: Unit, series: Series): Measured => ({
  name,
  unit,
  series,
  figure: median(series),
  times: (other) => ({ to: other.name, times: timesBetter(unit, series, other.series) }),
});

export function of(all: ReadonlyMap<string, Measured>, name: string): Measured {
  const found = all.get(name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

/** Operations per second, of work that does `operations` of them. */
export async function rate(operations: number, work: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (operations / (performance.now() - start)) * 1000;
}
