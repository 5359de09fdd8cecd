/** Calls of listed functions. */
import type { Json } from '../strategy/json.ts';
import { type Context, type Part, siteFor } from './context.ts';
import { anyShape } from './expression.ts';
import { arity, type Call, type FunctionEntry } from './functions/entry.ts';
import { compileAge, isSecret, secretPart } from './root.ts';
import type { TreeOf } from './tree.ts';

export function compileCall(tree: TreeOf<'call'>, context: Context): Part {
  if (tree.name === 'age') return compileAge(tree, context);
  const entry = context.functions.get(tree.name);
  if (entry === undefined)
    throw context.refuse('function', siteFor(context, tree), tree.name, [...context.functions.keys(), 'age']);
  checkArity(entry, tree, context);
  const parts = tree.parameters.map((parameter, position) => {
    const secret = entry.name === 'hmac' && position === 0 && isSecret(parameter, context);
    return secret ? secretPart(parameter, context, true) : context.compile(parameter, context);
  });
  const call = { site: siteFor(context, tree), name: entry.name };
  return {
    evaluate: evaluation(
      entry,
      parts.map((part) => part.evaluate),
      call,
    ),
    cost: parts.reduce((cost, part) => cost + part.cost, 5),
    constant: entry.pure && parts.every((part) => part.constant),
    makes: true,
    shape: anyShape,
  };
}

function evaluation(
  entry: FunctionEntry,
  given: readonly Part['evaluate'][],
  { site, name }: Omit<Call, 'frame'>,
): Part['evaluate'] {
  return (frame) => {
    const values: Json[] = [];
    for (const evaluate of given) values.push(evaluate(frame));
    return entry.call(values, { frame, site, name });
  };
}

function checkArity(entry: FunctionEntry, tree: TreeOf<'call'>, context: Context): void {
  const { least, most } = arity(entry);
  const count = tree.parameters.length;
  if (count >= least && count <= most) return;
  const wanted = least === most ? String(least) : most === 100 ? `at least ${least}` : `${least} to ${most}`;
  throw context.refuse('arguments', siteFor(context, tree), entry.name, [wanted, String(count), entry.parameters, entry.example]);
}
