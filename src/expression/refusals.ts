/** What JavaScript has and the language does not: why, and what to write instead. */
export interface Refusal {
  readonly message: string;
  readonly fix?: string;
}

export const binaryOperators: ReadonlySet<string> = new Set(['===', '!==', '<', '<=', '>', '>=', '+', '-', '*', '/', '%']);

export const refusedOperators: Readonly<Record<string, Refusal>> = {
  '==': { message: '`==` converts types before it compares', fix: 'Write `===`.' },
  '!=': { message: '`!=` converts types before it compares', fix: 'Write `!==`.' },
  '**': { message: '`**` is not part of the language', fix: 'Multiply: `x * x`.' },
  '&': { message: '`&` works on bits', fix: 'Write `&&` for “and”.' },
  '|': { message: '`|` works on bits', fix: 'Write `||` for “or”.' },
  '^': { message: '`^` works on bits', fix: 'Write `a !== b` for “either, not both”.' },
  '~': { message: '`~` works on bits' },
  '<<': { message: '`<<` works on bits' },
  '>>': { message: '`>>` works on bits' },
  '>>>': { message: '`>>>` works on bits' },
  '+': { message: 'a leading `+` converts text to a number silently', fix: 'Write `number(text)`.' },
  in: { message: '`in` is not part of the language', fix: 'Write `object.key !== null`, or `includes(keys(object), key)`.' },
  instanceof: { message: 'values have no classes', fix: 'Write `type(value) === "list"`.' },
  typeof: { message: '`typeof` calls null and lists “object”', fix: 'Write `type(value)`.' },
  void: { message: '`void` is not part of the language', fix: 'Write `null`.' },
  delete: { message: 'expressions change nothing', fix: 'Use a step: `unset`.' },
};

const noChange: Refusal = {
  message: 'expressions change nothing',
  fix: 'Use a step: `let`, `set`, `add`; to compare, write `===`.',
};
const noFunction: Refusal = { message: 'functions stand only in list methods', fix: 'Write `list.map(item => …)`.' };

export const refusedNodes: Readonly<Record<string, Refusal>> = {
  AssignmentExpression: noChange,
  UpdateExpression: noChange,
  NewExpression: { message: 'there are no classes to make objects of', fix: 'For times write `now()`, `time(text)`, `iso(ms)`.' },
  ThisExpression: {
    message: '`this` means nothing here',
    fix: 'Name the value: `request.body`, `vars.x`, or what a step bound with `as`.',
  },
  Super: { message: '`super` means nothing here' },
  FunctionExpression: noFunction,
  ArrowFunctionExpression: noFunction,
  ClassExpression: { message: 'there are no classes' },
  TaggedTemplateExpression: { message: 'a template cannot be tagged', fix: 'Call a function: `name(text)`.' },
  SequenceExpression: { message: 'a comma joins two expressions', fix: 'Write one expression; for a list write `[a, b]`.' },
  AwaitExpression: { message: 'expressions do not wait', fix: 'Use a step: `http`, `call`, `get`.' },
  YieldExpression: { message: 'expressions do not wait' },
  ImportExpression: { message: 'nothing can be imported', fix: 'Call a listed function.' },
  MetaProperty: { message: 'nothing can be imported' },
  PrivateIdentifier: { message: 'private names are not part of the language' },
};

/** Methods of JavaScript that are functions here. `$0` is the value, `$1…` the arguments. */
const methodForms: Readonly<Record<string, string>> = {
  toUpperCase: 'upper($0)',
  toLowerCase: 'lower($0)',
  trim: 'trim($0)',
  slice: 'slice($0, $*)',
  substring: 'slice($0, $*)',
  split: 'split($0, $*)',
  join: 'join($0, $*)',
  includes: 'includes($0, $*)',
  startsWith: 'startsWith($0, $*)',
  endsWith: 'endsWith($0, $*)',
  replace: 'replace($0, $*)',
  replaceAll: 'replace($0, $*)',
  concat: '[...$0, ...$*]',
  push: '[...$0, $*]',
  reverse: 'reverse($0)',
  toReversed: 'reverse($0)',
  at: '$0[$*]',
  toString: 'string($0)',
  toFixed: 'round($0, $*)',
  hasOwnProperty: '$0[$*] !== null',
};

/** What JavaScript keeps in global objects. */
const globalForms: Readonly<Record<string, string>> = {
  'Math.random': 'random()',
  'Date.now': 'now()',
  'Date.parse': 'time($*)',
  'JSON.stringify': 'json($*)',
  'JSON.parse': 'parse($*)',
  'crypto.randomUUID': 'uuid()',
  'Array.isArray': 'type($*) === "list"',
};
const globalObjects: ReadonlySet<string> = new Set(['Math', 'Object', 'Number', 'String', 'JSON', 'Date', 'Array', 'crypto']);

export const listMethodNames = ['map', 'filter', 'some', 'every', 'find', 'findIndex', 'reduce', 'sort', 'flatMap'] as const;
export type ListMethodName = (typeof listMethodNames)[number];
export const isListMethod = (name: string): name is ListMethodName => (listMethodNames as readonly string[]).includes(name);

/** Why `object.name(arguments)` cannot be called. */
export function methodRefusal(object: string, name: string, passed: readonly string[]): Refusal {
  const globalForm = globalForms[`${object}.${name}`] ?? (globalObjects.has(object) ? `${name}($*)` : undefined);
  const form = globalForm ?? (Object.hasOwn(methodForms, name) ? methodForms[name] : undefined);
  if (form !== undefined) {
    const written = form.replace('$0', () => object).replace(', $*', () => passed.map((argument) => `, ${argument}`).join(''));
    return {
      message: `\`${name}\` is a function here, not a method`,
      fix: `Write \`${written.replace('$*', () => passed.join(', '))}\`.`,
    };
  }
  if (isListMethod(name)) {
    return { message: `\`${name}\` takes an arrow function`, fix: `Write \`${object}.${name}(item => …)\`.` };
  }
  return {
    message: `there is no method \`${name}\``,
    fix: `The methods are those of lists, with an arrow: ${listMethodNames.map((method) => `\`${method}\``).join(', ')}. All else is a function: \`name(value)\`.`,
  };
}

/** Names of JavaScript that people write out of habit. */
export const nameHints: Readonly<Record<string, string>> = {
  undefined: 'Write `null`: what is missing is null.',
  NaN: 'There is no NaN: a calculation without a result is an error.',
  Infinity: 'Numbers are finite.',
  Math: 'Write `floor(x)`, `max(a, b)`: the functions stand alone.',
  JSON: 'Write `json(value)` or `parse(text)`.',
  Date: 'Write `now()`, `time(text)` or `iso(ms)`.',
  vars: 'Name a variable: `vars.stock`.',
  secrets: 'Name a secret: `secrets.API_KEY`.',
};

export const callHints: Readonly<Record<string, string>> = {
  String: 'Write `string(value)`.',
  Number: 'Write `number(text)`.',
  parseInt: 'Write `floor(number(text))`.',
  parseFloat: 'Write `number(text)`.',
  sha256: 'Write `hash(text)`.',
  btoa: 'Write `base64(text)`.',
  length: 'Write `len(value)`.',
  size: 'Write `len(value)`.',
  count: 'Write `len(value)`.',
  concat: 'Write `a + b` for texts, `[...a, ...b]` for lists.',
  map: 'Write `list.map(item => …)`.',
  filter: 'Write `list.filter(item => …)`.',
  Boolean: 'Conditions are boolean: write a comparison.',
  eval: 'Text is never run as code.',
  Function: 'Text is never run as code.',
};
