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
import { CffbrwError, type Place } from '../error.ts';
import type { Places } from '../expression/index.ts';
import { forbiddenKeys } from '../strategy/json.ts';
import { quoted, scan } from './scan.ts';
import { collectProblems, type Path, type Problems, type Source } from './source.ts';

/** The document, or null when `problems` (to which everything that is wrong is added) says why not. */
export function readYaml(file: string, text: string, problems: Problems = collectProblems()): Source | null {
  const placeAt = placesOf(file, text);
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
  return readNodes(file, document.contents, placeAt, problems);
}

/** What the library's `parseDocument` does, with the lexemes that the scan has found already. */
function compose(lexemes: readonly string[], length: number): Document.Parsed {
  const parser = new Parser();
  const tokens = function* () {
    for (const lexeme of lexemes) yield* parser.next(lexeme);
    yield* parser.end();
  };
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document] = composer.compose(tokens(), true, length);
  if (document === undefined) throw new CffbrwError('INVARIANT', 'a text has no document');
  return document;
}

const unbalanced = 'Look at this line and the ones before it: brackets, quotes and indentation have to match.';

function readNodes(file: string, contents: Node | null, placeAt: (offset: number) => Place, problems: Problems): Source | null {
  const before = problems.list.length;
  const { data, spot: root } = readNode({ placeAt, problems }, contents, 0);
  /** The spot at `path`, or the nearest one around it that the text has. */
  const find = (path: Path): { readonly spot: Spot; readonly exact: boolean } => {
    let spot = root;
    for (const part of path) {
      const next = spot.inside?.get(part);
      if (next === undefined) return { spot, exact: false };
      spot = next;
    }
    return { spot, exact: true };
  };
  const source: Source = {
    file,
    data,
    placeOf: (path) => placeAt(find(path).spot.at),
    textPlaceOf(path) {
      const { spot, exact } = find(path);
      return exact && spot.text !== null ? textPlaces(spot.text, placeAt(spot.at)) : placeAt(spot.at);
    },
    keyPlaceOf(path) {
      const { spot, exact } = find(path);
      return placeAt(exact ? (spot.key ?? spot.at) : spot.at);
    },
  };
  return problems.list.length > before ? null : source;
}

/** Line and column of an offset, both from 1. */
function placesOf(file: string, text: string): (offset: number) => Place {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** Where the characters of a text stand: behind its quote; in a block, line by line; where YAML folded or unescaped it, its start. */
function textPlaces({ value, type }: Text, start: Place): Places {
  if (type === 'PLAIN' && !value.includes('\n')) return start;
  if (type !== 'BLOCK_LITERAL') return { ...start, column: start.column + (type === 'PLAIN' ? 0 : 1) };
  return (offset) => ({ ...start, line: start.line + value.slice(0, offset).split('\n').length, column: 1 });
}

interface Text {
  readonly value: string;
  readonly type: Scalar.Type | undefined;
}

/** Where a value stands, by offsets, and the values inside it. Little is kept of a text: most are never asked for. */
interface Spot {
  readonly at: number;
  /** The name of the field that it is the value of. */
  readonly key: number | undefined;
  readonly text: Text | null;
  readonly inside: ReadonlyMap<string | number, Spot> | null;
}

interface Reader {
  readonly placeAt: (offset: number) => Place;
  readonly problems: Problems;
}

interface Found {
  readonly data: unknown;
  readonly spot: Spot;
}

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
    const text = typeof value === 'string' ? { value, type } : null;
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
