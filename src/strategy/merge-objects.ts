/**
 * merge-objects: merge all updates of a JSON object; of two writes of one field the last wins, per field. A row holds its replica's
 * live leaves, and marks for the leaves of others that it has removed (observed-remove, as in Shapiro et al., "A comprehensive study of
 * Convergent and Commutative Replicated Data Types", 2011, with the owner as the one that forgets).
 *
 * Never: puts a field that nobody wrote into the value. `initial` shows as a whole while no leaf is live.
 *
 * Invariants:
 *   M1  Every leaf has its own seq, never used again; `lastSeq` only grows.
 *   M2  A removal removes the leaves that its replica had seen, and no others: writes that it had not seen survive it.
 *   M3  A leaf lives in its owner's row only, so a removed one that its owner has dropped is gone for good. Its remover keeps the mark
 *       until it has a row of the owner with `lastSeq` at or past the mark and without the leaf.
 *   M4  A replica has at most one live leaf per path.
 */
import { compareStamps, type Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import { byteLength, canonical, checkJson, describe, isObject, type Json, type JsonObject } from './json.ts';
import { isMarker, isPath, leavesOf, maxLeafBytes, maxLeaves, parsePath, someAncestor, tooManyLeaves } from './merge-path.ts';
import { eachLive, hiddenLeaves, type Leaf, type MergeRow, removalsOf, type Shown, view } from './merge-view.ts';
import { type OperationInput, refuseRow, rowCount, rowObject, rowReplicas, rowStamp, wrongOperation } from './parsing.ts';
import type { Conflict, Entry, Rows, Strategy, Writer } from './strategy.ts';
import type { Variable } from './variable.ts';

export type MergeOperation =
  | { readonly operation: 'merge' | 'replace'; readonly value: JsonObject }
  | { readonly operation: 'unset'; readonly path?: string }
  | { readonly operation: 'reset' };

function parse(input: OperationInput): MergeOperation {
  const { operation } = input;
  if (operation === 'merge' || operation === 'replace') return { operation, value: parseObject(input.value) };
  if (operation === 'reset') return { operation };
  if (operation !== 'unset') throw wrongOperation('merge-objects', operation, ['merge', 'replace', 'unset', 'reset']);
  return input.path === undefined ? { operation } : { operation, path: parsePath(input.path) };
}

function parseObject(value: unknown): JsonObject {
  const checked = checkJson(value);
  if (!isObject(checked)) {
    throw new CffbrwError('INVALID_VALUE', `${describe(value)} is no object to merge`, {
      fix: 'Give the fields to change: { name: "Ann" }.',
    });
  }
  const object = checked as JsonObject;
  leavesOf(object);
  return object;
}

// ── Writing. ──

const nothing: ReadonlyMap<string, Json> = new Map();

function apply(rows: Rows<MergeRow>, writer: Writer, operation: MergeOperation): MergeRow {
  switch (operation.operation) {
    case 'merge': {
      const patch = leavesOf(operation.value);
      return write(rows, writer, patch, overwrittenBy(patch));
    }
    case 'replace':
      return write(rows, writer, leavesOf(operation.value), () => true);
    case 'unset':
      return write(rows, writer, nothing, isAtOrBelow(operation.path ?? ''));
    case 'reset':
      return write(rows, writer, nothing, () => true);
  }
}

type Selects = (path: string, leaf: Leaf) => boolean;

const isAtOrBelow =
  (top: string): Selects =>
  (path) =>
    path === top || path.startsWith(`${top}/`);

/** The observed leaves that a patch takes the place of: those at its paths, scalars above them, and all below its scalars. */
function overwrittenBy(patch: ReadonlyMap<string, Json>): Selects {
  const above = new Set<string>();
  for (const path of patch.keys()) {
    someAncestor(path, (ancestor) => {
      above.add(ancestor);
      return false;
    });
  }
  const isBelowScalar = (ancestor: string): boolean => {
    const value = patch.get(ancestor);
    return value !== undefined && !isMarker(value);
  };
  return (path, { value }) => patch.has(path) || (above.has(path) && !isMarker(value)) || someAncestor(path, isBelowScalar);
}

/** My row after the live leaves that `selects` chooses were removed and `added` was put in their place. */
function write(rows: Rows<MergeRow>, writer: Writer, added: ReadonlyMap<string, Json>, selects: Selects): MergeRow {
  const mine = rows.get(writer.me)?.row;
  const leaves: Record<string, Leaf> = {};
  const removals = new Map<string, number[]>();
  let live = added.size;
  eachLive(rows, (replica, path, leaf) => {
    const gone = selects(path, leaf);
    if (!gone) live++;
    if (replica === writer.me) {
      if (!gone) leaves[path] = leaf;
    } else if (gone) {
      const seqs = removals.get(replica);
      if (seqs === undefined) removals.set(replica, [leaf.seq]);
      else seqs.push(leaf.seq);
    }
  });
  if (live > maxLeaves && added.size > 0) throw tooManyLeaves();
  const lastSeq = addLeaves(leaves, added, mine?.lastSeq ?? 0, writer);
  return { leaves, lastSeq, removed: withRemovals(mine?.removed ?? noRemovals, removals) };
}

/** Puts the new leaves in, each with a seq of its own and all with one stamp. Returns the last seq. */
function addLeaves(leaves: Record<string, Leaf>, added: ReadonlyMap<string, Json>, lastSeq: number, writer: Writer): number {
  if (added.size === 0) return lastSeq;
  const stamp = writer.stamp();
  let seq = lastSeq;
  for (const [path, value] of added) {
    seq++;
    leaves[path] = { seq, stamp, value };
  }
  return seq;
}

const noRemovals: MergeRow['removed'] = Object.freeze({});

function withRemovals(before: MergeRow['removed'], removals: ReadonlyMap<string, readonly number[]>): MergeRow['removed'] {
  if (removals.size === 0) return before;
  const removed: Record<string, readonly number[]> = { ...before };
  for (const [replica, seqs] of removals) removed[replica] = [...(removed[replica] ?? []), ...seqs].sort((a, b) => a - b);
  return removed;
}

// ── Garbage. ──

/** My row without the leaves that others have removed, and without the marks that their owners have acted on (M3). */
function collect(rows: Rows<MergeRow>, me: string): MergeRow | null {
  const mine = rows.get(me)?.row;
  if (mine === undefined) return null;
  const leaves = keptLeaves(mine, removalsOf(rows).get(me));
  const removed = keptRemovals(rows, mine);
  return leaves === mine.leaves && removed === mine.removed ? null : { leaves, lastSeq: mine.lastSeq, removed };
}

function keptLeaves({ leaves }: MergeRow, removed: ReadonlySet<number> | undefined): MergeRow['leaves'] {
  if (removed === undefined) return leaves;
  const all = Object.entries(leaves);
  const kept = all.filter(([, { seq }]) => !removed.has(seq));
  return kept.length === all.length ? leaves : Object.fromEntries(kept);
}

function keptRemovals(rows: Rows<MergeRow>, { removed }: MergeRow): MergeRow['removed'] {
  const kept: Record<string, readonly number[]> = {};
  let dropped = false;
  for (const [owner, seqs] of Object.entries(removed)) {
    const needed = stillNeeded(rows.get(owner)?.row, seqs);
    dropped ||= needed.length < seqs.length;
    if (needed.length > 0) kept[owner] = needed;
  }
  return dropped ? kept : removed;
}

function stillNeeded(owner: MergeRow | undefined, seqs: readonly number[]): readonly number[] {
  if (owner === undefined) return seqs;
  const present = new Set(Object.values(owner.leaves).map((leaf) => leaf.seq));
  return seqs.filter((seq) => seq > owner.lastSeq || present.has(seq));
}

// ── Reading. ──

const initialOf = (variable: Variable): Json => variable.initial ?? null;

function absent(rows: Rows<MergeRow>): boolean {
  let live = 0;
  eachLive(rows, () => {
    live++;
  });
  return live === 0;
}

function latestStamp(row: MergeRow): Stamp | null {
  let latest: Stamp | null = null;
  for (const path in row.leaves) {
    const stamp = row.leaves[path]?.stamp;
    if (stamp !== undefined && (latest === null || compareStamps(stamp, latest) > 0)) latest = stamp;
  }
  return latest;
}

/** What has become hidden: two leaves that compete are both live only where neither write had seen the other. */
function conflicts(rows: Rows<MergeRow>, author: string, before: Entry<MergeRow> | undefined): readonly Conflict[] {
  const hidden = rows.size < 2 ? [] : hiddenLeaves(rows);
  if (hidden.length === 0) return [];
  const rowsBefore = new Map(rows);
  if (before === undefined) rowsBefore.delete(author);
  else rowsBefore.set(author, before);
  const known = new Set(hiddenLeaves(rowsBefore).map(({ lost }) => identity(lost)));
  return hidden
    .filter(({ lost }) => !known.has(identity(lost)))
    .map(({ lost, won }) => ({ path: lost.path, lost: side(lost), won: side(won) }));
}

const identity = ({ replica, leaf }: Shown): string => `${leaf.seq} ${replica}`;
const side = ({ replica, leaf }: Shown): Conflict['lost'] => ({ replica, stamp: leaf.stamp, value: leaf.value });

// ── Rows from other machines. ──

const maxMarks = 100_000;

function parseRow(input: unknown): MergeRow {
  const row = rowObject(input);
  const lastSeq = rowCount(row.lastSeq, 'its last seq');
  const removed = rowReplicas(row.removed, 'what it has removed', parseSeqs);
  return { leaves: parseLeaves(row.leaves, lastSeq), lastSeq, removed };
}

function parseLeaves(input: unknown, lastSeq: number): MergeRow['leaves'] {
  const entries = Object.entries(rowObject(input, 'its leaves'));
  if (entries.length > maxLeaves) throw refuseRow(`it has more than ${maxLeaves} leaves`);
  const seqs = new Set<number>();
  const leaves: Record<string, Leaf> = {};
  for (const [path, part] of entries) {
    if (!isPath(path)) throw refuseRow('one of its leaves has no path');
    const leaf = parseLeaf(part, path);
    if (leaf.seq > lastSeq || seqs.has(leaf.seq)) throw refuseRow('two of its leaves share a seq, or one is past the last');
    seqs.add(leaf.seq);
    leaves[path] = leaf;
  }
  return leaves;
}

function parseLeaf(input: unknown, path: string): Leaf {
  const leaf = rowObject(input, 'a leaf');
  const value = checkJson(leaf.value);
  const isWhole = isObject(value) ? Object.keys(value).length === 0 : path !== '';
  if (!isWhole || byteLength(canonical(value)) > maxLeafBytes) throw refuseRow('the value of a leaf is none');
  return { seq: rowCount(leaf.seq, 'a seq'), stamp: rowStamp(leaf.stamp), value };
}

function parseSeqs(input: unknown, what: string): readonly number[] {
  if (!Array.isArray(input) || input.length > maxMarks) throw refuseRow(`${what} is no list of seqs`);
  return input.map((seq) => rowCount(seq, 'a seq'));
}

export const mergeObjects: Strategy<MergeRow, MergeOperation> = /* @__PURE__ */ Object.freeze({
  name: 'merge-objects',
  operations: {
    merge: { commutes: false, guardStable: false },
    replace: { commutes: false, guardStable: false },
    unset: { commutes: true, guardStable: false },
    reset: { commutes: true, guardStable: false },
  },
  stamped: ['merge', 'replace'],
  parse,
  apply,
  read: (rows: Rows<MergeRow>, variable: Variable) => view(rows) ?? initialOf(variable),
  absent,
  latestStamp,
  conflicts,
  collect,
  parseRow,
} as const);
