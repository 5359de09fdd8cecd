/** Compiles the expressions of documents, from their texts. */
import { createCompiler } from './compiler.ts';
import { acornParser } from './parse.ts';

export const { compileExpression, compileTemplate, compileValue } = createCompiler(acornParser);
