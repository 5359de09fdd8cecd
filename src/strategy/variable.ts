/** What a user declares about a variable: frozen plain data. The declaration's defaults are filled in by `declareVariable`. */
import type { Json, JsonObject } from './json.ts';
import type { StrategyName } from './strategy.ts';
import type { WindowRule } from './window.ts';

export interface Variable {
  readonly name: string;
  readonly strategy: StrategyName;
  /** One value per key when true. */
  readonly keyed: boolean;
  /** What an address that nobody wrote reads as; undefined: the strategy's own (0, null, …). */
  readonly initial?: Json;
  readonly window?: WindowRule;
  /** JSON Schema of the value. */
  readonly schema?: JsonObject | boolean;
  /** `relaxed` trades durability of acknowledged writes for speed. Never applies to bounded counters. */
  readonly durability: 'durable' | 'relaxed';
  /** last-write-wins only: the author accepts that several workflows write it. */
  readonly writers?: 'any';
}

/** A declaration as a user writes it: everything but the strategy may be left out, and the strategy is last-write-wins then. */
export interface Declaration {
  readonly strategy?: StrategyName;
  readonly keyed?: boolean;
  readonly initial?: Json;
  readonly window?: WindowRule;
  readonly schema?: JsonObject | boolean;
  readonly durability?: 'durable' | 'relaxed';
  readonly writers?: 'any';
}
