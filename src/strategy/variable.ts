/** What a user declares about a variable. */
import { type Declaration, declareWith, type Variable } from './declaration.ts';
import { schemaOf } from './schema.ts';

export { type Declaration, maxKeep, type Variable } from './declaration.ts';

/** The variable as frozen data, defaults filled in. Throws INVALID_APP, with what to write instead. */
export const declareVariable = (name: string, declaration: Declaration): Variable => declareWith(schemaOf, name, declaration);
