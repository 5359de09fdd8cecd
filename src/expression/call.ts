/** Calls of listed functions. */
import type { Json } from '../strategy/json.ts';
import { type Context, type Part, siteFor } from './context.ts';
import { anyShape } from './expression.ts';
import { arity, type Call, type FunctionEntry } from './functions/entry.ts';
import { isListMethod } from './refusals.ts';
import { compileAge, isSecret, secretPart } from './root.ts';
import { invalid } from './source.ts';
import { suggestion } from './suggest.ts';
import type { TreeOf } from './tree.ts';

export function compileCall(tree: TreeOf<'call'>, context: Context): Part {
  if (tree.name === 'age') return compileAge(tree, context);
  const entry = context.functions.get(tree.name);
  if (entry === undefined) throw unknownFunction(tree, context);
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
  const message = `\`${entry.name}\` takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${count}`;
  throw invalid(siteFor(context, tree), message, `Write \`${entry.name}(${entry.parameters})\`, as in \`${entry.example}\`.`);
}

function unknownFunction(tree: TreeOf<'call'>, context: Context): Error {
  const site = siteFor(context, tree);
  const message = `there is no function \`${tree.name}\``;
  const hint = Object.hasOwn(context.hints.calls, tree.name) ? context.hints.calls[tree.name] : undefined;
  if (hint !== undefined) return invalid(site, message, hint);
  if (isListMethod(tree.name))
    return invalid(site, `\`${tree.name}\` is a method of lists`, `Write \`list.${tree.name}(item => …)\`.`);
  return invalid(site, message, suggestion(tree.name, [...context.functions.keys(), 'age']));
}
