/** What a user declares about a variable: frozen plain data, with its defaults filled in. What may be wrong with it: declaration-checks.ts. */
import type { Json, JsonObject } from './json.ts';
import type { StrategyName } from './names.ts';
import type { CompileSchema } from './schema-check.ts';
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

/** From a declaration to the variable, with who compiles its schema. */
export type Declare = (compileSchema: CompileSchema, name: string, declaration: Declaration) => Variable;

/** Of a declaration that has no problem. */
export const declare: Declare = (compileSchema, name, declaration) => {
  const { strategy = 'last-write-wins', durability = 'durable', keyed = false, initial, window, schema, writers } = declaration;
  if (schema !== undefined) compileSchema(schema);
  return Object.freeze({
    ...{ name, strategy, keyed, durability },
    ...(initial !== undefined && { initial }),
    ...(window !== undefined && { window: Object.freeze({ ...window }) }),
    ...(schema !== undefined && { schema }),
    ...(writers !== undefined && { writers }),
  });
};
