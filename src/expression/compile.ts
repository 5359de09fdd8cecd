/** Compiles the expressions of documents, from their texts. */
import { createCompiler } from './compiler.ts';
import { functions } from './functions.ts';
import { compileMethod } from './methods.ts';
import { acornParser } from './parse.ts';
import { hints } from './refusals.ts';

export const { compileExpression, compileTemplate, compileValue } = createCompiler({
  parser: acornParser,
  functions,
  compileMethod,
  hints,
});
