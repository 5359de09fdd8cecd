/** The small words that all reports share: figures, times, and which rows a picture has. */
import type { Distribution, DocumentRuns, RunSet } from './result.ts';

/** `1,204`, `0.25`: at most two places. */
export const figure = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** `0.400 s` */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(3)} s`;

export const plural = (count: number, one: string): string => `${figure(count)} ${count === 1 ? one : `${one}s`}`;

export interface Facet {
  readonly set: RunSet;
  readonly document: DocumentRuns;
  readonly watched: Distribution;
  readonly label: string;
}

/** Every document whose figure is known, in order. */
export const facetsOf = (sets: readonly RunSet[]): readonly Facet[] =>
  sets.flatMap((set) =>
    set.documents.flatMap((document) =>
      document.watched === null ? [] : [{ set, document, watched: document.watched, label: document.name }],
    ),
  );
