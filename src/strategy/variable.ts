/** What a user declares about a variable. */
import type { Declaration, Variable } from './declaration.ts';
import { declareChecked } from './declaration-checks.ts';
import { schemaOf } from './schema.ts';

export type { Declaration, Variable } from './declaration.ts';
export { maxKeep } from './declaration-checks.ts';

/** The variable as frozen data, defaults filled in. Throws INVALID_APP, with what to write instead. */
export const declareVariable = (name: string, declaration: Declaration): Variable => declareChecked(schemaOf, name, declaration);
