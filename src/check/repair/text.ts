/** Edits of a document's text, by the paths of its parts. Each answers null where the text does not let itself be edited safely. */
import { isCollection, isMap, isNode, isScalar, isSeq, type Node, type Pair, parseDocument } from 'yaml';
import type { LoadedDocument } from '../../app.ts';
import type { Place } from '../../error.ts';
import type { Path } from '../../workflow/source.ts';
import type { Edit } from '../finding.ts';

export interface Editor {
  /** Puts other text in the place of a value. */
  replace(path: Path, paste: string): readonly Edit[] | null;
  /** Puts other text in the place of a part of a string: of what stands from `start` to `end` in it. */
  replaceIn(path: Path, range: { readonly start: number; readonly end: number }, paste: string): readonly Edit[] | null;
  /** Puts steps in front of a step. */
  insertBefore(path: Path, steps: readonly string[]): readonly Edit[] | null;
  replaceStep(path: Path, steps: readonly string[]): readonly Edit[] | null;
  removeStep(path: Path): readonly Edit[] | null;
  /** Puts a field behind another one of the same map. */
  insertAfter(path: Path, field: string): readonly Edit[] | null;
}

const editors = new WeakMap<LoadedDocument, Editor | null>();

/** Null for what a program built: it has no text. */
export function editorOf(document: LoadedDocument): Editor | null {
  const known = editors.get(document);
  if (known !== undefined) return known;
  const made = document.text === null ? null : createEditor(document.source.file, document.text);
  editors.set(document, made);
  return made;
}

function createEditor(file: string, text: string): Editor {
  const root = parseDocument(text, { uniqueKeys: false, logLevel: 'silent' });
  const node = (path: Path): Node | null => {
    const found = path.length === 0 ? root.contents : root.getIn(path, true);
    return isNode(found) ? found : null;
  };
  const edit = (from: number, to: number, paste: string): readonly Edit[] => [
    { place: placeAt(file, text, from), end: placeAt(file, text, to), paste },
  ];
  const block = (path: Path): BlockItem | null => blockItem(text, node(path));
  return {
    replace(path, paste) {
      const range = node(path)?.range;
      if (!range) return null;
      const missing = range[0] === range[1] && text[range[0] - 1] === ':';
      return edit(range[0], range[1], missing ? ` ${paste}` : paste);
    },
    replaceIn(path, { start, end }, paste) {
      const at = textStart(text, node(path));
      return at === null ? null : edit(at + start, at + end, paste);
    },
    insertBefore(path, steps) {
      const item = block(path);
      return item && edit(item.from, item.from, linesOf(steps, item.indent));
    },
    replaceStep(path, steps) {
      const item = block(path);
      return item && edit(item.from, item.to, linesOf(steps, item.indent));
    },
    removeStep(path) {
      const item = block(path);
      const list = node(path.slice(0, -1));
      return item && isSeq(list) && list.items.length > 1 ? edit(item.from, item.to, '') : null;
    },
    insertAfter(path, field) {
      const around = node(path.slice(0, -1));
      const pair = isMap(around) ? around.items.find((one) => isScalar(one.key) && one.key.value === path.at(-1)) : undefined;
      if (!isMap(around) || pair === undefined) return null;
      const end = lastOffset(pair);
      if (around.flow) return edit(end, end, `, ${field}`);
      const [from] = (isNode(pair.key) && pair.key.range) || [0];
      const line = lineEnd(text, end);
      return edit(line, line, `\n${text.slice(lineStart(text, from), from).replace(/\S/g, ' ')}${field}`);
    },
  };
}

function placeAt(file: string, text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;
const lineEnd = (text: string, offset: number): number => {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
};

interface BlockItem {
  readonly indent: string;
  /** From the start of its first line to that of the line behind it. */
  readonly from: number;
  readonly to: number;
}

/** A step that has its lines for itself: `- ` in front, nothing else behind. */
function blockItem(text: string, node: Node | null): BlockItem | null {
  const range = node?.range;
  if (!range || !isCollection(node) || node.flow) return null;
  const from = lineStart(text, range[0]);
  const indent = /^( *)- $/.exec(text.slice(from, range[0]))?.[1];
  if (indent === undefined) return null;
  const last = lastOffset(node);
  const end = text[last - 1] === '\n' ? last : lineEnd(text, last) + 1;
  return /^\s*(#.*)?\n?$/.test(text.slice(last, end)) ? { indent, from, to: Math.min(end, text.length) } : null;
}

/** Where the last character of a part stands, comments and blank lines behind it aside. */
function lastOffset(part: unknown): number {
  if (isCollection(part) && !part.flow && part.items.length > 0) return lastOffset(part.items.at(-1));
  if (isNode(part)) return part.range?.[1] ?? 0;
  const { key, value } = part as Pair;
  return isNode(value) && value.range && value.range[1] > value.range[0] ? lastOffset(value) : lastOffset(key);
}

/** Where the characters of a string start in the text, if they stand there as they are. */
function textStart(text: string, node: Node | null): number | null {
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return null;
  const at = node.range[0] + (node.type === 'PLAIN' ? 0 : 1);
  return text.slice(at, at + node.value.length) === node.value ? at : null;
}

/** Steps as lines of a list. */
const linesOf = (steps: readonly string[], indent: string): string =>
  steps.map((step) => `${indent}- ${step.replaceAll('\n', `\n${indent}  `)}\n`).join('');

const plainText = /^[A-Za-z][A-Za-z0-9_./]*(-[A-Za-z0-9_./]+)*$/;
const words = /^(true|false|null|yes|no|on|off)$/i;

/** A value as YAML in one line. */
export function flow(data: unknown): string {
  if (Array.isArray(data)) return `[${data.map(flow).join(', ')}]`;
  if (typeof data === 'object' && data !== null) {
    const fields = Object.entries(data).map(([name, value]) => `${flow(name)}: ${flow(value)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  if (typeof data === 'string' && plainText.test(data) && !words.test(data)) return data;
  return JSON.stringify(data ?? null);
}

/** All of the edits, or none where one of them cannot be made. */
export function together(...parts: readonly (readonly Edit[] | null | undefined)[]): readonly Edit[] {
  return parts.every((part) => part !== null && part !== undefined) ? parts.flat() : [];
}
