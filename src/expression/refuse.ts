/** What authors are told of names, reads and calls that do not compile. */
import type { CffbrwError } from '../error.ts';
import { callHints, isListMethod, nameHints } from './refusals.ts';
import { invalid, type Site } from './source.ts';
import { suggestion } from './suggest.ts';

/** What there is instead. */
type Known = Iterable<string>;
type Told = readonly [message: string, fix: string];

/** What is said of a secret in any other place than those where it is sent; `check` knows it by this. */
export const secretRefusal = 'a secret may not be used here';

const hintIn = (hints: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(hints, name) ? hints[name] : undefined;

function unknownFunction(name: string, known: Known): Told {
  const message = `there is no function \`${name}\``;
  const hint = hintIn(callHints, name);
  if (hint !== undefined) return [message, hint];
  return isListMethod(name)
    ? [`\`${name}\` is a method of lists`, `Write \`list.${name}(item => …)\`.`]
    : [message, suggestion(name, known)];
}

/** Names of JavaScript that mean something else here, or nothing. */
const hinted = (name: string, otherwise: Told): Told => {
  const hint = hintIn(nameHints, name);
  return hint === undefined ? otherwise : [`\`${name}\` is not a value`, hint];
};

const refusals = {
  name: (name, known) => hinted(name, ['there is no such name here', suggestion(name, known)]),
  function: unknownFunction,
  arguments: (name, [wanted, count, parameters, example]) => [
    `\`${name}\` takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${count}`,
    `Write \`${name}(${parameters})\`, as in \`${example}\`.`,
  ],
  'bare variable': (name) => hinted(name, ['a variable is read through `vars`', `Write \`vars.${name}\`.`]),
  variable: (name, known) => [`there is no variable \`${name}\``, suggestion(name, known, 'vars.')],
  'name of a variable': () => [
    'the name of a variable is written out',
    'Write `vars.name`; for one value per key, declare it `keyed` and write `vars.name[key]`.',
  ],
  'no key': (name) => [`\`${name}\` is keyed, so it is read with a key`, `Write \`vars.${name}[key]\`.`],
  'key as member': (name, [key = '']) => [`\`${name}\` is keyed, so it is read with a key`, `Write \`vars.${name}['${key}']\`.`],
  'key of none': (name) => [
    `\`${name}\` is not keyed, so it is read without a key`,
    `Declare \`${name}\` with \`keyed: true\`; to index into its value, bind it with \`let\` first.`,
  ],
  'read in a key': () => [
    'a key reads a keyed variable itself',
    'Bind that value with `let` first, and use its name in the key.',
  ],
  'read in an arrow': () => [
    'a keyed variable is read inside an arrow function',
    'Read it with `let` first, or use an `each` step.',
  ],
  age: () => ['`age` takes the read of a variable', 'Write `age(vars.stock)` or `age(vars.profile[key])`.'],
  'name of a secret': () => ['the name of a secret is written out', 'Write `secrets.NAME`.'],
  secret: (name, known) => [
    `there is no secret \`${name}\``,
    `${suggestion(name, known, 'secrets.')} Declare it in \`secrets\` of cffbrw.yaml.`,
  ],
  'place of a secret': () => [secretRefusal, 'Secrets are for `http` steps, `verify`, and the first argument of `hmac`.'],
  'member of a scalar': (name) => [`this is a single value and has no property \`${name}\``, 'Remove the property.'],
  'member of a list': (name) => [
    `a list has no property \`${name}\``,
    'Write `list[0]`, `list.length`, or `list.map(item => …)`.',
  ],
  member: (name, known) => [`there is no property \`${name}\` here`, suggestion(name, known)],
} satisfies Readonly<Record<string, (name: string, known: readonly string[]) => Told>>;

export type Reason = keyof typeof refusals;

/** Makes the error. What was built compiles, so a built app has one that knows no reasons. */
export type Refuse = (reason: Reason, site: Site, name?: string, known?: Known) => CffbrwError;

export const refuse: Refuse = (reason, site, name = '', known = []) => {
  const tell: (name: string, known: readonly string[]) => Told = refusals[reason];
  return invalid(site, ...tell(name, [...known]));
};
