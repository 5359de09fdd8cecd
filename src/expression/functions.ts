/** All functions of the language, as data: `docs/expressions.md`, the editor's list and the compiler read this table. */
import { collectionFunctions } from './functions/collection.ts';
import { cryptoFunctions } from './functions/crypto.ts';
import { type FunctionEntry, type FunctionGroups, namedFunctions } from './functions/entry.ts';
import { numberFunctions } from './functions/number.ts';
import { textFunctions } from './functions/text.ts';
import { timeFunctions } from './functions/time.ts';

/** By what they are about. An app that was built brings those groups of which it calls something. */
export const functionGroups = {
  text: textFunctions,
  number: numberFunctions,
  collection: collectionFunctions,
  time: timeFunctions,
  crypto: cryptoFunctions,
} as const satisfies FunctionGroups;

export const functions: ReadonlyMap<string, FunctionEntry> = /* @__PURE__ */ namedFunctions(functionGroups);
