/** Compiles the expressions of documents, from their texts. */
import { createCompiler } from './compiler.ts';
import { functions } from './functions.ts';
import { compileMethod } from './methods.ts';
import { acornParser } from './parse.ts';
import { refuse } from './refuse.ts';

export const { compileExpression, compileTemplate, compileValue } = createCompiler({
  parser: acornParser,
  functions,
  compileMethod,
  refuse,
});
