/** The models of all variables of an app, by variable, key and window. They know what users asked and were told, and nothing else. */
import type { App } from '../../app.ts';
import { createExtremeModel, type ExtremeModel } from './model-extreme.ts';
import { createFieldsModel, type FieldsModel } from './model-fields.ts';
import { createLatestModel, type LatestModel } from './model-latest.ts';
import { createStockModel, type Shelf, type StockModel } from './model-stock.ts';
import { createSumModel, type SumModel } from './model-sum.ts';

export type Claim = 'C1' | 'C2' | 'C3' | 'C4' | 'C5';

export interface Finding {
  readonly claim: Claim;
  readonly message: string;
  readonly atMs: number;
}

/** A value of a variable. */
export interface Spot {
  readonly variable: string;
  /** null: the variable has no keys. */
  readonly key: string | null;
  /** '' without windows. */
  readonly window: string;
}

export interface Models<Model> {
  at(spot: Spot): Model;
  all(): readonly (readonly [Spot, Model])[];
}

export interface Oracle {
  readonly sums: Models<SumModel>;
  readonly fields: Models<FieldsModel>;
  readonly latest: Models<LatestModel>;
  readonly extremes: Models<ExtremeModel>;
  readonly shelves: Models<Shelf>;
  readonly stock: StockModel;
  /** Keyed runs: what was answered first, by machine and key. */
  readonly answers: Map<string, { readonly body: string; sure: boolean }>;
  /** Keys that were asked with. */
  readonly keys: Map<string, string>;
  /** This machine's disk was set back to what it was then, or is gone. */
  lose(machine: string, fromMs: number): void;
}

export const nameOf = ({ variable, key, window }: Spot): string =>
  [variable, key, window].filter((part) => part !== null && part !== '').join(' ');

interface OracleOptions {
  /** A row is under way for at least so long. */
  readonly travelMs: number;
  /** Machines of which an operator was told that nobody knows all that they gave out. */
  readonly unheard: ReadonlySet<string>;
}

export function createOracle({ variables }: App, others: App, { travelMs, unheard }: OracleOptions): Oracle {
  const initialOf = (name: string): number => {
    const declared = [variables.get(name)?.initial, others.variables.get(name)?.initial];
    return Math.max(...declared.map((initial) => (typeof initial === 'number' ? initial : 0)));
  };
  const stock = createStockModel(unheard);
  const sums = models(() => createSumModel(travelMs));
  const fields = models(() => createFieldsModel(travelMs));
  const latest = models(({ variable }) => createLatestModel(initialOf(variable)));
  const extremes = models(({ variable }) => createExtremeModel(variable === 'best' ? 'max' : 'min'));
  const shelves = models((spot) => stock.shelf(nameOf(spot), initialOf(spot.variable)));
  const answers: Oracle['answers'] = new Map();
  return {
    ...{ sums, fields, latest, extremes, shelves, stock, answers, keys: new Map() },
    lose(machine, fromMs) {
      for (const group of [sums, fields, latest, extremes]) for (const [, model] of group.all()) model.lose(machine, fromMs);
      for (const [name, answer] of answers) if (name.startsWith(`${machine} `)) answer.sure = false;
    },
  };
}

function models<Model>(make: (spot: Spot) => Model): Models<Model> {
  const made = new Map<string, readonly [Spot, Model]>();
  return {
    at(spot) {
      const name = nameOf(spot);
      const known = made.get(name) ?? [spot, make(spot)];
      made.set(name, known);
      return known[1];
    },
    all: () => [...made.values()],
  };
}
