/** From YAML (or JSON, which is YAML) to data with places. What a document may not contain is refused with the text that would be right. */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { CffbrwError } from '../error.ts';
import { forbiddenKeys } from '../strategy/json.ts';
import { readPlain } from './plain.ts';
import { quoted, scan } from './scan.ts';
import { collectProblems, type Problems, type Source } from './source.ts';
import { type Found, type PlaceAt, placesOf, type Spot, sourceOf, type Text } from './spots.ts';
import { checkText } from './tokens.ts';

/** The document, or null when `problems` (to which everything that is wrong is added) says why not. */
export function readYaml(file: string, text: string, problems: Problems = collectProblems()): Source | null {
  const placeAt = placesOf(file, text);
  const unreadable = checkText(text);
  if (unreadable) {
    problems.add(placeAt(unreadable.offset), unreadable.message, unreadable.fix);
    return null;
  }
  const found = readPlain(text) ?? readAll(text, placeAt, problems);
  return found && sourceOf(file, found, placeAt);
}

/** The whole of YAML, by the library. */
export function readAll(text: string, placeAt: PlaceAt, problems: Problems): Found | null {
  const { traps, lexemes } = scan(text);
  for (const trap of traps) problems.add(placeAt(trap.offset), trap.message, trap.fix);
  if (traps.length > 0) return null;
  const document = compose(lexemes, text.length);
  for (const error of [...document.errors, ...document.warnings].slice(0, 10)) {
    const rest = text.slice(error.pos[0]).split('\n', 1)[0] ?? '';
    const fix = error.code === 'BAD_SCALAR_START' ? `Put it in quotes: ${quoted(rest.trim())}` : unbalanced;
    problems.add(placeAt(error.pos[0]), `This is not valid YAML: ${error.message}.`, fix);
  }
  if (document.errors.length + document.warnings.length > 0) return null;
  const before = problems.list.length;
  const found = readNode({ placeAt, problems }, document.contents, 0);
  return problems.list.length > before ? null : found;
}

/** What the library's `parseDocument` does, with the lexemes that the scan has found already. */
function compose(lexemes: readonly string[], length: number): Document.Parsed {
  const parser = new Parser();
  const tokens = function* () {
    for (const lexeme of lexemes) yield* parser.next(lexeme);
    yield* parser.end();
  };
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document] = withoutStacks(() => [...composer.compose(tokens(), true, length)]);
  if (document === undefined) throw new CffbrwError('INVARIANT', 'a text has no document');
  return document;
}

/** The library makes an error of each character that it did not expect: with its stack, a thousand of them take as long as the rest. */
function withoutStacks<Result>(task: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return task();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const unbalanced = 'Look at this line and the ones before it: brackets, quotes and indentation have to match.';

interface Reader {
  readonly placeAt: PlaceAt;
  readonly problems: Problems;
}

const styles: Readonly<Record<string, Text['style']>> = { PLAIN: 'plain', BLOCK_LITERAL: 'literal', BLOCK_FOLDED: 'folded' };

const offsetOf = (node: unknown): number => (node as Partial<Node> | null)?.range?.[0] ?? 0;

/** `around` is where a value stands that the text leaves out. */
function readNode(reader: Reader, node: unknown, around: number, key?: number): Found {
  if (node === null || node === undefined) return { data: null, spot: { at: around, key, text: null, inside: null } };
  const at = offsetOf(node);
  const found = (data: unknown, inside: Spot['inside'] = null): Found => ({ data, spot: { at, key, text: null, inside } });
  if (isMap(node)) return found(...readMap(reader, node, at));
  if (isSeq(node)) return found(...readList(reader, node, at));
  if (isScalar(node)) {
    const { value, type } = node;
    const text = typeof value === 'string' ? { value, style: styles[type ?? ''] ?? 'quoted' } : null;
    return { data: readScalar(reader, node), spot: { at, key, text, inside: null } };
  }
  if (isAlias(node)) reader.problems.add(reader.placeAt(at), 'Aliases are not used here.');
  return found(null);
}

type Inside = [data: unknown, inside: ReadonlyMap<string | number, Spot>];

function readList(reader: Reader, node: YAMLSeq, at: number): Inside {
  const inside = new Map<number, Spot>();
  const data = node.items.map((item, index) => {
    const { data: one, spot } = readNode(reader, item, at);
    inside.set(index, spot);
    return one;
  });
  return [data, inside];
}

function readMap(reader: Reader, node: YAMLMap, at: number): Inside {
  const data: Record<string, unknown> = {};
  const inside = new Map<string, Spot>();
  for (const pair of node.items as Pair[]) {
    const key = offsetOf(pair.key);
    const name = readName(reader, pair.key, key);
    if (name === undefined) continue;
    const first = inside.get(name);
    if (first !== undefined) {
      const { line } = reader.placeAt(first.key ?? at);
      reader.problems.add(reader.placeAt(key), `\`${name}\` stands here twice: first in line ${line}.`, 'Remove one of them.');
    }
    const { data: value, spot } = readNode(reader, pair.value, at, key);
    if (first !== undefined) continue;
    data[name] = value;
    inside.set(name, spot);
  }
  return [data, inside];
}

function readName(reader: Reader, key: unknown, at: number): string | undefined {
  if (!isScalar(key) || key.value === null) {
    reader.problems.add(reader.placeAt(at), 'A field’s name must be text.', 'Put it in quotes.');
    return undefined;
  }
  const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
  if (!forbiddenKeys.has(name)) return name;
  reader.problems.add(
    reader.placeAt(at),
    `\`${name}\` cannot be a field’s name: JavaScript gives it a meaning.`,
    'Use another name.',
  );
  return undefined;
}

function readScalar(reader: Reader, node: Scalar): unknown {
  const { value, source } = node;
  if (node.type !== 'PLAIN' || source === undefined) return value;
  const surprise = surpriseIn(source, value);
  if (surprise) reader.problems.add(reader.placeAt(offsetOf(node)), surprise[0], surprise[1]);
  return typeof value === 'number' && value === 0 ? 0 : value;
}

/** What an unquoted word or number is in YAML 1.2, where that is not what an author may have meant. */
function surpriseIn(source: string, value: unknown): readonly [message: string, fix: string] | undefined {
  const quote = `Put it in quotes if it is text: ${quoted(source)}`;
  const switchWord = /^(?:(yes|on)|no|off)$/i.exec(source);
  if (switchWord)
    return [
      `YAML versions disagree whether \`${source}\` is text or a boolean.`,
      `Write \`${switchWord[1] ? 'true' : 'false'}\`, or ${quoted(source)} for the text.`,
    ];
  if (/^[-+]?\d+(?:_\d+)+$/.test(source))
    return [
      `YAML reads \`${source}\` as text, not as a number.`,
      `Write \`${source.replaceAll('_', '')}\`, or ${quoted(source)} for the text.`,
    ];
  if (typeof value !== 'number') return undefined;
  if (/^[-+]?0[0-9xo]/i.test(source))
    return [
      `YAML versions disagree about the number \`${source}\`: octal, hexadecimal or decimal.`,
      `Write it as a plain decimal number. ${quote}`,
    ];
  if (!Number.isFinite(value)) return [`The number \`${source}\` is out of range.`, quote];
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return [`The number \`${source}\` is beyond ±(2^53−1), where YAML would round it to ${value}.`, quote];
  if (digitsOf(source) !== digitsOf(String(value)))
    return [`YAML would round the number \`${source}\` to ${value}.`, `Write \`${value}\`. ${quote}`];
  return undefined;
}

/** The significant digits of a decimal number: what two spellings of one number have in common. */
const digitsOf = (source: string): string => {
  const mantissa = source.replace(/e.*$/i, '').replace(/[-+]/, '');
  return mantissa.replace('.', '').replace(/^0+/, '').replace(/0+$/, '');
};
