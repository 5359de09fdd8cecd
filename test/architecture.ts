/** Reads a source file for the architecture test: what it imports, and which forbidden things it touches, each with its line. */
import { isBuiltin } from 'node:module';
import { parseSync } from 'oxc-parser';

export interface Import {
  readonly specifier: string;
  /** True when it is gone after compiling. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Finding {
  readonly line: number;
  readonly what: string;
}

export interface Source {
  readonly imports: readonly Import[];
  /** What only a platform may touch. */
  readonly platform: readonly Finding[];
  /** What nobody may write. */
  readonly forbidden: readonly Finding[];
  /** Whether it holds nothing but `export … from`. */
  readonly reexportsOnly: boolean;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

const childrenOf = (node: Node): Node[] =>
  Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);

const nodesIn = (node: Node, key: string): Node[] => [node[key]].flat().filter(isNode);

const nameOf = (node: unknown): string | null => (isNode(node) && node.type === 'Identifier' ? String(node.name) : null);

const textOf = (node: unknown): string | null => {
  if (!isNode(node)) return null;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  const quasis = node.type === 'TemplateLiteral' ? nodesIn(node, 'quasis') : [];
  const [only, ...others] = quasis;
  return only !== undefined && others.length === 0 ? String((only.value as { cooked?: unknown }).cooked) : null;
};

export function readSource(file: string, text: string): Source {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const root = program as unknown as Node;
  const lineOf = (node: Node) => text.slice(0, node.start).split('\n').length;
  const platform: Finding[] = [];
  const forbidden: Finding[] = [];
  const imports: Import[] = [];
  walk(root, new Set(), (node, declared) => {
    const found = importOf(node);
    if (found !== null) imports.push({ ...found, line: lineOf(node) });
    const banned = platformUse(node, declared) ?? (found !== null && isBuiltin(found.specifier) ? found.specifier : null);
    if (banned !== null) platform.push({ line: lineOf(node), what: banned });
    const never = forbiddenUse(node, declared);
    if (never !== null) forbidden.push({ line: lineOf(node), what: never });
  });
  const body = nodesIn(root, 'body');
  return {
    imports,
    platform,
    forbidden,
    reexportsOnly: body.every((node) => node.type.startsWith('Export') && isNode(node.source)),
  };
}

function importOf(node: Node): Omit<Import, 'line'> | null {
  const kinds = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression', 'TSImportType'];
  if (!kinds.includes(node.type)) return null;
  if (!isNode(node.source)) return null;
  const specifier = textOf(node.source) ?? 'a computed import';
  const parts = nodesIn(node, 'specifiers');
  const partsAreTypes = parts.length > 0 && parts.every((part) => part.importKind === 'type' || part.exportKind === 'type');
  const typeOnly = node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type' || partsAreTypes;
  return { specifier, typeOnly };
}

const globalNames = new Set([
  ...['process', 'Buffer', 'performance', 'require', 'fetch', '__dirname', '__filename'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
]);
// `crypto.subtle` answers from a thread, whenever that is done: no simulation would be exact.
const globalMembers = new Set([
  'Date.now',
  'Math.random',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'crypto.subtle',
  'AbortSignal.timeout',
]);
const globalObjects = new Set(['globalThis', 'global', 'self', 'window']);

/** `a.b` or `a['b']` of globals, without a leading `globalThis.`; null for anything else. */
function globalPath(node: unknown, declared: ReadonlySet<string>): string | null {
  if (!isNode(node)) return null;
  const name = nameOf(node);
  if (name !== null) return declared.has(name) ? null : name;
  if (node.type === 'ParenthesizedExpression' || node.type === 'ChainExpression') return globalPath(node.expression, declared);
  if (node.type !== 'MemberExpression') return null;
  const object = globalPath(node.object, declared);
  const property = node.computed === true ? textOf(node.property) : nameOf(node.property);
  if (object === null || property === null) return null;
  return globalObjects.has(object) ? property : `${object}.${property}`;
}

function platformUse(node: Node, declared: ReadonlySet<string>): string | null {
  if (node.type === 'NewExpression' && globalPath(node.callee, declared) === 'Date' && nodesIn(node, 'arguments').length === 0) {
    return 'new Date() without an argument';
  }
  if (node.type === 'CallExpression' && globalPath(node.callee, declared) === 'Date') return 'Date()';
  const path = globalPath(node, declared) ?? destructured(node, declared);
  return path !== null && (globalNames.has(path) || globalMembers.has(path)) ? path : null;
}

/** `const { now } = Date`: the first forbidden member that a pattern takes out of a global. */
function destructured(node: Node, declared: ReadonlySet<string>): string | null {
  if (node.type !== 'VariableDeclarator' || !isNode(node.id) || node.id.type !== 'ObjectPattern') return null;
  const object = globalPath(node.init, declared);
  if (object === null) return null;
  const paths = nodesIn(node.id, 'properties').map((property) => {
    const name = nameOf(property.key) ?? '';
    return globalObjects.has(object) ? name : `${object}.${name}`;
  });
  return paths.find((path) => globalNames.has(path) || globalMembers.has(path)) ?? null;
}

function forbiddenUse(node: Node, declared: ReadonlySet<string>): string | null {
  if (node.type === 'TSAnyKeyword') return 'any';
  const path = globalPath(node, declared);
  if (path === 'eval') return 'eval';
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return null;
  return globalPath(node.callee, declared) === 'Function' ? 'new Function' : null;
}

/** Which names of a node are no references: what it calls its properties and its types. */
const labels: Readonly<Record<string, readonly string[]>> = {
  Property: ['key'],
  MemberExpression: ['property'],
  MethodDefinition: ['key'],
  PropertyDefinition: ['key'],
  AccessorProperty: ['key'],
  TSPropertySignature: ['key'],
  TSMethodSignature: ['key'],
  TSAbstractMethodDefinition: ['key'],
  TSQualifiedName: ['right'],
  TSNamedTupleMember: ['label'],
  TSImportType: ['qualifier'],
  ImportSpecifier: ['imported', 'local'],
  ExportSpecifier: ['exported'],
  ExportAllDeclaration: ['exported'],
  LabeledStatement: ['label'],
  BreakStatement: ['label'],
  ContinueStatement: ['label'],
  MetaProperty: ['meta', 'property'],
};

/** Visits every node that is not a mere label, with the names that are declared around it. */
function walk(node: Node, outer: ReadonlySet<string>, visit: (node: Node, declared: ReadonlySet<string>) => void): void {
  const own = namesDeclaredBy(node);
  const declared = own.length === 0 ? outer : new Set([...outer, ...own]);
  visit(node, declared);
  const skipped = node.computed === true ? [] : (labels[node.type] ?? []).map((key) => node[key]);
  for (const child of childrenOf(node)) {
    // `{ fetch }` is a label and a reference at once: its value is visited.
    if (!skipped.includes(child)) walk(child, declared, visit);
  }
}

/** The names that a scope adds: a function's parameters, a block's declarations, a loop's or a catch's variable. */
function namesDeclaredBy(node: Node): string[] {
  const parameters = nodesIn(node, 'params').flatMap(namesInPattern);
  const own = node.type === 'FunctionExpression' || node.type === 'ClassExpression' ? namesInPattern(node.id) : [];
  const statements =
    node.type === 'Program' || node.type === 'BlockStatement' || node.type === 'StaticBlock' ? nodesIn(node, 'body') : [];
  const cases = node.type === 'SwitchStatement' ? nodesIn(node, 'cases').flatMap((each) => nodesIn(each, 'consequent')) : [];
  const heads = [...nodesIn(node, 'init'), ...nodesIn(node, 'left')].filter((each) => each.type === 'VariableDeclaration');
  const caught = node.type === 'CatchClause' ? namesInPattern(node.param) : [];
  return [...parameters, ...own, ...caught, ...[...statements, ...cases, ...heads].flatMap(namesInStatement)];
}

function namesInStatement(node: Node): string[] {
  if (node.type === 'ExportNamedDeclaration' || node.type === 'ExportDefaultDeclaration') {
    return isNode(node.declaration) ? namesInStatement(node.declaration) : [];
  }
  if (node.type === 'VariableDeclaration') return nodesIn(node, 'declarations').flatMap((each) => namesInPattern(each.id));
  if (node.type === 'ImportDeclaration') return nodesIn(node, 'specifiers').flatMap((each) => namesInPattern(each.local));
  return node.type.endsWith('Declaration') ? namesInPattern(node.id) : [];
}

function namesInPattern(node: unknown): string[] {
  if (!isNode(node)) return [];
  const name = nameOf(node);
  if (name !== null) return [name];
  const inner = ['left', 'argument', 'value', 'elements', 'properties', 'parameter'].flatMap((key) => nodesIn(node, key));
  return ['AssignmentPattern', 'RestElement', 'Property', 'ArrayPattern', 'ObjectPattern'].includes(node.type)
    ? (node.type === 'AssignmentPattern' ? nodesIn(node, 'left') : inner).flatMap(namesInPattern)
    : [];
}
