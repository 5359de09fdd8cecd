/** All functions of the language, as data: `docs/expressions.md`, the editor's list and the compiler read this table. */
import { collectionFunctions } from './functions/collection.ts';
import { cryptoFunctions } from './functions/crypto.ts';
import { type FunctionEntry, namedFunctions } from './functions/entry.ts';
import { numberFunctions } from './functions/number.ts';
import { textFunctions } from './functions/text.ts';
import { timeFunctions } from './functions/time.ts';

const all: readonly (readonly FunctionEntry[])[] = [
  textFunctions,
  numberFunctions,
  collectionFunctions,
  timeFunctions,
  cryptoFunctions,
];

export const functions: ReadonlyMap<string, FunctionEntry> = /* @__PURE__ */ namedFunctions(all);
