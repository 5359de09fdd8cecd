/** The repairs of a lost update: an operation that commutes in the place of one that does not. */
import type { Tree, TreeOf } from '../../expression/tree.ts';
import type { Model, Write } from '../effect.ts';
import type { Edit } from '../finding.ts';
import { readAt } from '../resolve.ts';
import type { ReadTerm } from '../term.ts';
import { isSameStep } from '../words.ts';
import { declarationOf, redeclare } from './declaration.ts';
import { changeOf } from './escrow.ts';
import { editorOf, flow, together } from './text.ts';

/** `set` to the value and a number more: `add`. The edits, or none where the write is another one. */
export function addInstead(model: Model, write: Write, read: ReadTerm): readonly Edit[] {
  const { variable, step } = write;
  const change = changeOf(write, read);
  if (change === null || change.step === 0 || write.with !== null) return [];
  const editor = editorOf(step.document);
  const declared = declarationOf(model, variable);
  const { initial } = declared;
  if (editor === null || (initial !== undefined && !Number.isSafeInteger(initial))) return [];
  const isSum = variable.strategy === 'sum-increments';
  if (
    !isSum &&
    model.writes.some(
      (one) =>
        one.variable === variable && (one.operation === 'unset' || (!isSum && isOffer(one) && !isSameStep(one.step, step))),
    )
  )
    return [];
  const { writers: _, schema: __, ...kept } = declared;
  const reads = variable.strategy === 'max-value' || variable.strategy === 'min-value' ? plainReads(model, write) : [];
  const fields = `add: ${variable.name}${keyOf(write)}${change.step === 1 ? '' : `\namount: ${change.step}`}${restOf(write)}`;
  return together(
    isSum ? [] : redeclare(model, variable, { ...kept, strategy: 'sum-increments' }),
    reads,
    editor.replaceStep(step.path, [fields]),
  );
}

const isOffer = ({ operation }: Write): boolean => operation === 'raise' || operation === 'lower' || operation === 'reset';

const keyOf = ({ step }: Write): string => (step.data.key === undefined ? '' : `\nkey: ${flow(step.data.key)}`);

/** The fields that every step may have. */
const restOf = ({ step }: Write): string =>
  ['id', 'when', 'ignore']
    .filter((field) => step.data[field] !== undefined)
    .map((field) => `\n${field}: ${flow(step.data[field])}`)
    .join('');

/** `vars.x` in the place of every `vars.x.value`, but in the step that is replaced. Null where one of them is read in another way. */
function plainReads(model: Model, { variable, step }: Write): readonly Edit[] | null {
  const edits: Edit[] = [];
  for (const document of model.app.documents) {
    if (document.kind !== 'workflow') continue;
    const editor = editorOf(document);
    const visit = (data: unknown, path: readonly (string | number)[]): boolean => {
      if (document === step.document && path.join() === step.path.join()) return true;
      if (typeof data === 'object' && data !== null) {
        const own = data as Record<string, unknown>;
        if (own.get === variable.name) return false;
        return Object.entries(own).every(([name, inner]) => visit(inner, [...path, Array.isArray(data) ? Number(name) : name]));
      }
      if (typeof data !== 'string' || !data.includes(`vars.${variable.name}`)) return true;
      const isCondition = path.at(-1) === 'when' || path.at(-1) === 'if';
      const found = model.resolver.trees(data, isCondition).flatMap((tree) => readsIn(tree, variable.name, model));
      return found.every((range) => {
        const made = range === null ? null : editor?.replaceIn(path, range, '');
        edits.push(...(made ?? []));
        return Boolean(made);
      });
    };
    if (!visit(document.document.steps, ['steps'])) return null;
  }
  return edits;
}

type Range = { readonly start: number; readonly end: number };

/** Where `.value` stands behind each read of a variable; null for a read without it. */
function readsIn(tree: Tree, variable: string, { app }: Model): readonly (Range | null)[] {
  const context = { names: new Map(), keyed: (name: string) => app.variables.get(name)?.keyed ?? false };
  const isRead = (one: Tree): boolean => readAt(one, context)?.variable === variable;
  const visit = (one: unknown): readonly (Range | null)[] => {
    if (typeof one !== 'object' || one === null) return [];
    const node = one as Tree;
    if (node.kind === 'member' && node.name === 'value' && isRead(node.object))
      return [{ start: node.object.end, end: node.end }];
    if ((node.kind === 'member' || node.kind === 'index') && isRead(node)) return [null];
    return Object.values(node).flatMap(visit);
  };
  return visit(tree);
}

/** `set` to the old object with other fields: `merge` of those fields. */
export function mergeInstead(model: Model, write: Write): readonly Edit[] {
  const { variable, step } = write;
  const editor = editorOf(step.document);
  const { initial = null, ...declared } = declarationOf(model, variable);
  const fields = fieldsBesideOld(model, write);
  if (editor === null || fields === null || typeof initial !== 'object' || Array.isArray(initial)) return [];
  if (model.writes.some((one) => one.variable === variable && !isSameStep(one.step, step))) return [];
  const { writers: _, ...kept } = declared;
  const text = `merge: ${variable.name}${keyOf(write)}\nvalue: ${flow(fields)}${restOf(write)}`;
  return together(
    redeclare(model, variable, { ...kept, ...(initial !== null && { initial }), strategy: 'merge-objects' }),
    editor.replaceStep(step.path, [text]),
  );
}

/** The value of the step without the old object that is spread at its start. */
function fieldsBesideOld(model: Model, { step, variable }: Write): string | null {
  const { value } = step.data;
  if (typeof value !== 'string') return null;
  const [tree] = model.resolver.trees(value, false);
  if (tree?.kind !== 'object') return null;
  const [first, second] = tree.properties as TreeOf<'object'>['properties'];
  const keyed = (name: string) => model.app.variables.get(name)?.keyed ?? false;
  if (first?.kind !== 'spread' || second === undefined || second.kind === 'spread') return null;
  if (readAt(first.value, { names: new Map(), keyed })?.variable !== variable.name) return null;
  return value.slice(0, first.start) + value.slice(second.start);
}
