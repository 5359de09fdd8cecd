/** What the parts of reading a scenario have in common. */
import type { App } from '../app.ts';
import type { Place } from '../error.ts';
import { durationMs } from '../workflow/duration.ts';
import type { Path, Problems, Source } from '../workflow/source.ts';
import type { ScenarioDocument } from './scenario.ts';
import type { Spread } from './schedule.ts';

export interface Reading {
  readonly source: Source;
  readonly document: ScenarioDocument;
  readonly app: App;
  readonly problems: Problems;
}

/** Milliseconds of a duration whose form was checked. */
export const ms = (text: string | undefined, otherwise: number): number => durationMs(text) ?? otherwise;

export const spread = (given: string | { median: string; p99: string } | undefined, otherwise: number): Spread => {
  if (given === undefined || typeof given === 'string') {
    const always = ms(given, otherwise);
    return { medianMs: always, p99Ms: always };
  }
  return { medianMs: ms(given.median, otherwise), p99Ms: ms(given.p99, otherwise) };
};

export const placeOf = (source: Source, path: Path): Place => {
  const places = source.textPlaceOf(path);
  return typeof places === 'function' || places === undefined ? source.placeOf(path) : places;
};

/** The regions that a field names; [] without it. */
export function knownRegions(
  { source, problems }: Pick<Reading, 'source' | 'problems'>,
  given: string | readonly string[] | undefined,
  path: Path,
  regions: readonly string[],
): readonly string[] {
  const named = given === undefined ? [] : [given].flat();
  for (const name of named) {
    if (!regions.includes(name))
      problems.add(source.placeOf(path), `There is no region \`${name}\`.`, `There are: ${regions.join(', ')}.`);
  }
  return named;
}
