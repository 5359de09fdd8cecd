/** Edits of `cffbrw.yaml`: other fields for a variable, or another variable beside it. */
import type { Variable } from '../../strategy/variable.ts';
import type { Model } from '../effect.ts';
import type { Edit } from '../finding.ts';
import { editorOf, flow } from './text.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const declarationOf = ({ settings }: Model, { name }: Variable): Fields => settings?.document.variables?.[name] ?? {};

/** `{ strategy: …, … }` in the place of what a variable is declared as; the strategy comes first. */
export function redeclare(model: Model, variable: Variable, fields: Fields): readonly Edit[] | null {
  const { settings } = model;
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return (settings && editorOf(settings)?.replace(['variables', variable.name], flow(Object.fromEntries(kept)))) ?? null;
}

/** A variable beside another one. */
export function declareBeside(model: Model, variable: Variable, name: string, fields: Fields): readonly Edit[] | null {
  const { settings } = model;
  return (settings && editorOf(settings)?.insertAfter(['variables', variable.name], `${name}: ${flow(fields)}`)) ?? null;
}

/** A name that no variable has yet. */
export function freeName({ app }: Model, wanted: string): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}${count}`;
    if (!app.variables.has(name)) return name;
  }
}
