/** R6: a take whose outcome nobody looks at, or whose receipt is used where it may have been refused. */
import type { AnyEffect, Effect, Guard, Write } from '../effect.ts';
import { factsOf } from '../fact.ts';
import type { Finding } from '../finding.ts';
import { editorOf, together } from '../repair/text.ts';
import { found, oncePerStep, placeOf, type Rule } from '../report.ts';
import { type Root, type SymbolTerm, type Term, within } from '../term.ts';
import { stepText, twoUsers } from '../words.ts';

interface Take extends Write {
  readonly result: SymbolTerm;
}

export const uncheckedTake: Rule = (model) => {
  const takes = oncePerStep(model.writes.filter((write): write is Take => write.result !== null));
  const users = usersOf(model.effects);
  return takes.flatMap((take) => {
    const effects = users.get(take.result) ?? [];
    if (!effects.some((effect) => looksAt(effect, take.result))) return [untested(take)];
    const user = effects.find((effect) => usesUnproven(effect, take.result));
    return user === undefined ? [] : [unproven(take, user)];
  });
};

/** The effects that hand on, or depend on, what a take gave: few of all that an app has. */
function usersOf(effects: readonly AnyEffect[]): ReadonlyMap<Root, readonly AnyEffect[]> {
  const users = new Map<Root, AnyEffect[]>();
  for (const effect of effects) {
    const terms = [...effect.guards.map(({ condition }) => condition), ...termsOf(effect)];
    for (const root of new Set(terms.flatMap(({ roots }) => [...roots]))) {
      if (root.kind !== 'symbol' || root.origin !== 'take') continue;
      const known = users.get(root);
      if (known === undefined) users.set(root, [effect]);
      else known.push(effect);
    }
  }
  return users;
}

const telling: ReadonlySet<string> = new Set(['ok', 'reason', 'failed', 'repeated', 'confirmed']);

/** A condition asks for the outcome, or somebody is told of it. */
function looksAt(effect: AnyEffect, result: SymbolTerm): boolean {
  const asks = effect.guards.some(({ condition }) => condition.roots.has(result) && mentions(condition, result));
  // A line in a log tells no user.
  const told = effect.step.verb === 'log' ? [] : termsOf(effect);
  return asks || told.some((term) => term.roots.has(result) && mentions(term, result));
}

/** A field that tells the outcome, or the result as a whole. */
function mentions(term: Term, result: SymbolTerm): boolean {
  if (term === result) return true;
  if (term.kind === 'member' && term.object === result) return telling.has(term.name);
  return partsOf(term).some((part) => mentions(part, result));
}

function partsOf(term: Term): readonly Term[] {
  if (term.kind === 'member') return [term.object];
  if (term.kind === 'operation') return term.parts;
  if (term.kind === 'object')
    return term.fields.flatMap(({ name, value }) => (typeof name === 'object' && name ? [name, value] : [value]));
  return [];
}

/** What an effect hands on; names that are bound are looked at where they are used. */
function termsOf(effect: AnyEffect): readonly Term[] {
  if (effect.kind === 'use' && effect.step.verb === 'let') return [];
  if (effect.kind !== 'write') return [effect.value];
  return [effect.key, effect.value, effect.with, effect.path].filter((term) => term !== null);
}

const usesUnproven = (effect: AnyEffect, result: SymbolTerm): boolean => {
  const used = termsOf(effect).filter(
    (term) => term.roots.has(result) && [...within(term)].some((one) => isReceipt(one, result)),
  );
  return (
    used.length > 0 &&
    !effect.guards.some((guard) => guard.certain && proves(guard, result)) &&
    used.some((term) => isOpen(term, result))
  );
};

const isReceipt = (term: Term, result: SymbolTerm): boolean =>
  term.kind === 'member' && term.name === 'receipt' && term.object === result;

const isOk = (term: Term, result: SymbolTerm): boolean => term.kind === 'member' && term.name === 'ok' && term.object === result;

const proves = ({ condition, holds }: Pick<Guard, 'condition' | 'holds'>, result: SymbolTerm): boolean =>
  factsOf(condition, holds).some((fact) => saysGranted(fact.condition, fact.holds, result));

/** `take.ok`, `take.reason === null`, … */
function saysGranted(term: Term, holds: boolean, result: SymbolTerm): boolean {
  if (term.kind === 'member') return holds && term.object === result && ['ok', 'repeated', 'confirmed'].includes(term.name);
  if (term.kind !== 'operation') return false;
  const [first, second, ...others] = term.parts;
  if (term.name === 'either')
    return (
      [second, ...others].every((arm) => !arm || isNull(arm) || saysGranted(arm, holds, result) || !arm.roots.has(result)) &&
      term.roots.has(result)
    );
  if (term.name !== '===' && term.name !== '!==') return false;
  const [tested, against] = first?.kind === 'literal' ? [second, first] : [first, second];
  if (tested?.kind !== 'member' || tested.object !== result || against?.kind !== 'literal') return false;
  const equal = (term.name === '===') === holds;
  if (tested.name === 'ok') return against.value === equal;
  if (tested.name === 'reason') return against.value === null && equal;
  return tested.name === 'receipt' && against.value === null && !equal;
}

const isNull = (term: Term): boolean => term.kind === 'literal' && term.value === null;

/** True when the receipt is used in a term where the term itself does not ask first. */
function isOpen(term: Term, result: SymbolTerm): boolean {
  if (isReceipt(term, result)) return true;
  if (!term.roots.has(result)) return false;
  if (term.kind === 'operation') {
    const [first, second, third] = term.parts;
    const asked = (holds: boolean): boolean => first !== undefined && proves({ condition: first, holds }, result);
    if (term.name === 'either' && second && third) {
      return (!asked(true) && isOpen(second, result)) || (!asked(false) && isOpen(third, result));
    }
    if ((term.name === '&&' || term.name === '||') && second && asked(term.name === '&&')) return false;
    // A receipt that stands in a comparison is asked for, not used.
    if (term.name === '===' || term.name === '!==' || term.name === '??')
      return term.name === '??' && isOpen(second ?? term, result);
  }
  if (term.kind === 'object' && term.fields.some(({ value }) => isOk(value, result))) {
    // Handed on beside what it says: whoever gets it can ask.
    return partsOf(term).some((part) => !isReceipt(part, result) && isOpen(part, result));
  }
  return partsOf(term).some((part) => isOpen(part, result));
}

function untested(take: Take): Finding {
  const { step } = take;
  const named = typeof step.data.as === 'string' ? step.data.as : null;
  const refusal = `fail: { status: 409, type: exhausted, title: Nothing is left }\nwhen: "!${named ?? 'taken'}.ok"`;
  const editor = editorOf(step.document);
  const after = [...step.path.slice(0, -1), Number(step.path.at(-1)) + 1];
  return found('R6', step, {
    story: `${twoUsers(take)} and one unit is left: ${stepText(step)} gives it to one of them, and the other goes on as if they had it, because nothing looks at what the take says.`,
    summary: `Look at what it says before anything is promised: \`- fail: … when: "!${named ?? 'taken'}.ok"\`.`,
    edits:
      named === null
        ? together(editor?.insertAfter([...step.path, step.verb], 'as: taken'), editor?.insertBefore(after, [refusal]))
        : together(editor?.insertBefore(after, [refusal])),
  });
}

const unproven = (take: Take, user: Effect): Finding =>
  found('R6', user.step, {
    story: `${twoUsers(take)} and one unit is left: the other one's receipt is null, and ${stepText(user.step)} uses it all the same, because nothing before it has made sure that the take was granted.`,
    summary: `Ask first: \`when: ${String(take.step.data.as)}.ok\`, or a \`respond\` before it with \`when: "!${String(take.step.data.as)}.ok"\`.`,
    related: [{ place: placeOf(take.step), message: 'the take' }],
  });
