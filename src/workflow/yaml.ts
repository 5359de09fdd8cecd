/** From YAML (or JSON, which is YAML) to data with places. What a document may not contain is refused with the text that would be right. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Place } from '../error.ts';
import type { Places } from '../expression/index.ts';
import { forbiddenKeys } from '../strategy/json.ts';
import { quoted, scan } from './scan.ts';
import { collectProblems, type Path, type Problems, pathText, type Source } from './source.ts';

/** The document, or null when `problems` (to which everything that is wrong is added) says why not. */
export function readYaml(file: string, text: string, problems: Problems = collectProblems()): Source | null {
  const placeAt = placesOf(file, text);
  const traps = scan(text);
  for (const trap of traps) problems.add(placeAt(trap.offset), trap.message, trap.fix);
  if (traps.length > 0) return null;
  const document = parseDocument(text, {
    uniqueKeys: false,
    lineCounter: new LineCounter(),
    prettyErrors: false,
    logLevel: 'silent',
  });
  for (const error of [...document.errors, ...document.warnings].slice(0, 10)) {
    const rest = text.slice(error.pos[0]).split('\n', 1)[0] ?? '';
    const fix = error.code === 'BAD_SCALAR_START' ? `Put it in quotes: ${quoted(rest.trim())}` : unbalanced;
    problems.add(placeAt(error.pos[0]), `This is not valid YAML: ${error.message}.`, fix);
  }
  if (document.errors.length + document.warnings.length > 0) return null;
  return readNodes(file, document.contents, placeAt, problems);
}

const unbalanced = 'Look at this line and the ones before it: brackets, quotes and indentation have to match.';

function readNodes(file: string, contents: Node | null, placeAt: (offset: number) => Place, problems: Problems): Source | null {
  const before = problems.list.length;
  const reader: Reader = { placeAt, problems, values: new Map(), keys: new Map(), texts: new Map() };
  const data = readNode(reader, contents, []);
  const nearest = (places: ReadonlyMap<string, number>, path: Path): Place => {
    for (let length = path.length; length >= 0; length--) {
      const at = pathText(path.slice(0, length));
      const offset = (length === path.length ? places.get(at) : undefined) ?? reader.values.get(at);
      if (offset !== undefined) return placeAt(offset);
    }
    return placeAt(0);
  };
  const source: Source = {
    file,
    data,
    placeOf: (path) => nearest(reader.values, path),
    textPlaceOf(path) {
      const node = reader.texts.get(pathText(path));
      return node === undefined ? nearest(reader.values, path) : textPlaces(node, placeAt);
    },
    keyPlaceOf: (path) => nearest(reader.keys, path),
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
function textPlaces(node: Scalar, placeAt: (offset: number) => Place): Places {
  const start = placeAt(offsetOf(node));
  const value = String(node.value);
  if (node.type === 'PLAIN' && !value.includes('\n')) return start;
  if (node.type !== 'BLOCK_LITERAL') return { ...start, column: start.column + (node.type === 'PLAIN' ? 0 : 1) };
  return (offset) => ({ ...start, line: start.line + value.slice(0, offset).split('\n').length, column: 1 });
}

interface Reader {
  readonly placeAt: (offset: number) => Place;
  readonly problems: Problems;
  /** Path → offset of the value, and of the field's name. */
  readonly values: Map<string, number>;
  readonly keys: Map<string, number>;
  readonly texts: Map<string, Scalar>;
}

const offsetOf = (node: unknown): number => (node as Partial<Node> | null)?.range?.[0] ?? 0;

function readNode(reader: Reader, node: unknown, path: Path): unknown {
  if (node === null || node === undefined) return null;
  reader.values.set(pathText(path), offsetOf(node));
  if (isMap(node)) return readMap(reader, node, path);
  if (isSeq(node)) return (node as YAMLSeq).items.map((item, index) => readNode(reader, item, [...path, index]));
  if (isScalar(node)) {
    if (typeof node.value === 'string') reader.texts.set(pathText(path), node);
    return readScalar(reader, node);
  }
  if (isAlias(node)) reader.problems.add(reader.placeAt(offsetOf(node)), 'Aliases are not used here.');
  return null;
}

function readMap(reader: Reader, node: YAMLMap, path: Path): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  const seen = new Map<string, Place>();
  for (const pair of node.items as Pair[]) {
    const place = reader.placeAt(offsetOf(pair.key));
    const name = readName(reader, pair.key, place);
    if (name === undefined) continue;
    const first = seen.get(name);
    if (first) reader.problems.add(place, `\`${name}\` stands here twice: first in line ${first.line}.`, 'Remove one of them.');
    seen.set(name, place);
    reader.keys.set(pathText([...path, name]), offsetOf(pair.key));
    const value = readNode(reader, pair.value, [...path, name]);
    if (!first) data[name] = value;
  }
  return data;
}

function readName(reader: Reader, key: unknown, place: Place): string | undefined {
  if (!isScalar(key) || key.value === null) {
    reader.problems.add(place, 'A field’s name must be text.', 'Put it in quotes.');
    return undefined;
  }
  const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
  if (!forbiddenKeys.has(name)) return name;
  reader.problems.add(place, `\`${name}\` cannot be a field’s name: JavaScript gives it a meaning.`, 'Use another name.');
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
