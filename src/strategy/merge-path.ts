/**
 * Paths of leaves, and objects as leaves. A path is a JSON Pointer (RFC 6901): `/items/a~1b`, and '' for the whole value.
 *
 * A leaf is a scalar, null, a whole array, or an empty-object marker (`{}`).
 */
import { CffbrwError } from '../error.ts';
import { byteLength, canonical, describe, forbiddenKeys, isObject, type Json, type JsonObject, maxDepth } from './json.ts';

export const maxLeaves = 10_000;
export const maxLeafBytes = 65_536;

const escapeSegment = (segment: string): string =>
  segment.includes('~') || segment.includes('/') ? segment.replaceAll('~', '~0').replaceAll('/', '~1') : segment;

export const unescapeSegment = (segment: string): string =>
  segment.includes('~') ? segment.replaceAll('~1', '/').replaceAll('~0', '~') : segment;

/** The field names from the root down. */
export const segmentsOf = (path: string): readonly string[] => (path === '' ? [] : path.slice(1).split('/').map(unescapeSegment));

export const pathOf = (segments: readonly string[]): string => segments.map((segment) => `/${escapeSegment(segment)}`).join('');

/** True for `{}`: the object is there, and has no fields that this leaf knows of. */
export const isMarker = (value: Json): boolean => isObject(value);

/** Calls back with every path above this one, the nearest first, '' last. */
export function someAncestor(path: string, test: (ancestor: string) => boolean): boolean {
  for (let end = path.lastIndexOf('/'); end >= 0; end = path.lastIndexOf('/', end - 1)) {
    if (test(path.slice(0, end))) return true;
    if (end === 0) return false;
  }
  return false;
}

/** The leaves of an object that was checked. Throws TOO_LARGE. */
export function leavesOf(object: JsonObject): ReadonlyMap<string, Json> {
  const leaves = new Map<string, Json>();
  collectLeaves(object, '', leaves);
  return leaves;
}

function collectLeaves(value: Json, path: string, leaves: Map<string, Json>): void {
  const fields = isObject(value) ? Object.keys(value) : [];
  if (fields.length === 0) {
    checkLeaf(value, path);
    leaves.set(path, value);
    if (leaves.size > maxLeaves) throw tooManyLeaves();
    return;
  }
  for (const field of fields) collectLeaves((value as JsonObject)[field] ?? null, `${path}/${escapeSegment(field)}`, leaves);
}

function checkLeaf(value: Json, path: string): void {
  const sizable = typeof value === 'string' || Array.isArray(value);
  if (!sizable || byteLength(canonical(value)) <= maxLeafBytes) return;
  throw new CffbrwError('TOO_LARGE', `the leaf at ${path} is larger than ${maxLeafBytes} bytes`, {
    fix: 'Store it under a key of its own, or as an object, whose fields are leaves of their own.',
  });
}

export const tooManyLeaves = (): CffbrwError =>
  new CffbrwError('TOO_LARGE', `an object of more than ${maxLeaves} leaves`, {
    fix: 'Declare keyed: true, and store one part per key.',
  });

/**
 * The path in `unset`: fields joined by dots (`items.a`), a JSON Pointer (`/items/a.b`), or a list of fields, which is the one to use
 * with names that users chose. Throws INVALID_VALUE.
 */
export function parsePath(input: unknown): string {
  const segments = typeof input === 'string' ? splitPath(input) : input;
  if (!Array.isArray(segments) || segments.length === 0 || segments.length > maxDepth || !segments.every(isSegment)) {
    throw new CffbrwError(
      'INVALID_VALUE',
      `the path ${typeof input === 'string' ? `"${input.slice(0, 80)}"` : describe(input)} names no field`,
      {
        fix: 'Write items.a, or /items/a as a JSON Pointer, or a list of field names; leave the path out to unset everything.',
      },
    );
  }
  return pathOf(segments);
}

function splitPath(text: string): readonly string[] {
  if (text.startsWith('/')) return segmentsOf(text);
  const segments = text.split('.');
  return segments.includes('') ? [] : segments;
}

const isSegment = (segment: unknown): boolean => typeof segment === 'string' && !forbiddenKeys.has(segment);

/** True when a remote row may use this path. */
export function isPath(path: string): boolean {
  if (path !== '' && !path.startsWith('/')) return false;
  const segments = segmentsOf(path);
  return segments.length <= maxDepth && segments.every(isSegment) && pathOf(segments) === path;
}
