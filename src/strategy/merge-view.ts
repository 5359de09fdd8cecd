/**
 * What the leaves of all replicas show together: the value, and which leaves are hidden behind others.
 *
 * Invariants:
 *   V1  Per path the best stamp shows.
 *   V2  A scalar against an object at one path: the better stamp shows, the object's being that of its best leaf or marker. The other
 *       side is hidden whole. A marker never hides what is below it.
 */
import { beats, compareStamps, type Stamp } from '../clock.ts';
import type { Json } from './json.ts';
import { isMarker, segmentsOf, unescapeSegment } from './merge-path.ts';
import type { Rows } from './strategy.ts';

export interface Leaf {
  /** Which of its owner's leaves this is: never used again. */
  readonly seq: number;
  readonly stamp: Stamp;
  readonly value: Json;
}

export interface MergeRow {
  /** My live leaves by path. */
  readonly leaves: Readonly<Record<string, Leaf>>;
  readonly lastSeq: number;
  /** The seqs of others' leaves that I have removed, sorted, until their owners have dropped them. */
  readonly removed: Readonly<Record<string, readonly number[]>>;
}

export interface Shown {
  readonly replica: string;
  readonly path: string;
  readonly leaf: Leaf;
}

/** One path with the leaves at it and below it. */
interface Node {
  readonly own: Shown[];
  children: Map<string, Node> | null;
  /** The best of all leaves at this path and below it. */
  best: Shown | null;
  /** The best of the object's side: markers at this path and everything below it. */
  bestOfObject: Shown | null;
}

export type Removals = ReadonlyMap<string, ReadonlySet<number>>;

/** The seqs that anybody has removed, by owner. */
export function removalsOf(rows: Rows<MergeRow>): Removals {
  const removals = new Map<string, Set<number>>();
  for (const { row } of rows.values()) {
    for (const owner in row.removed) {
      const seqs = removals.get(owner) ?? new Set();
      for (const seq of row.removed[owner] ?? []) seqs.add(seq);
      removals.set(owner, seqs);
    }
  }
  return removals;
}

/** Calls back with each leaf that nobody has removed. */
export function eachLive(rows: Rows<MergeRow>, visit: (replica: string, path: string, leaf: Leaf) => void): void {
  const removals = removalsOf(rows);
  for (const [replica, { row }] of rows) {
    const removed = removals.get(replica);
    for (const path in row.leaves) {
      const leaf = row.leaves[path];
      if (leaf !== undefined && removed?.has(leaf.seq) !== true) visit(replica, path, leaf);
    }
  }
}

/** The value, or undefined where no leaf is live. */
export function view(rows: Rows<MergeRow>): Json | undefined {
  const live: (readonly [string, Json])[] = [];
  eachLive(rows, (_replica, path, leaf) => {
    live.push([path, leaf.value]);
  });
  return live.length === 0 ? undefined : (assemble(live) ?? render(tree(rows)));
}

/** The value where no two leaves compete, which is nearly always; null where some do. Several times faster than by the tree. */
function assemble(live: (readonly [string, Json])[]): Json | null {
  const root: Container = {};
  const containers = new Map([['', root]]);
  live.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, value] of live) {
    const end = path.lastIndexOf('/');
    const parent = isMarker(value) ? container(containers, path) : container(containers, path.slice(0, end));
    if (parent === null) return null;
    if (isMarker(value)) continue;
    const field = unescapeSegment(path.slice(end + 1));
    if (Object.hasOwn(parent, field)) return null;
    parent[field] = value;
  }
  for (const object of containers.values()) Object.freeze(object);
  return root;
}

type Container = Record<string, Json>;

/** The object at this path, made where it is missing; null where a scalar is in its place. */
function container(containers: Map<string, Container>, path: string): Container | null {
  const known = containers.get(path);
  if (known !== undefined) return known;
  const end = path.lastIndexOf('/');
  const parent = container(containers, path.slice(0, end));
  const field = unescapeSegment(path.slice(end + 1));
  if (parent === null || Object.hasOwn(parent, field)) return null;
  const made: Container = {};
  parent[field] = made;
  containers.set(path, made);
  return made;
}

export interface Hidden {
  readonly lost: Shown;
  readonly won: Shown;
}

/** The live leaves that do not show, each with what hides it. Markers beside what hides nothing of them are not counted. */
export function hiddenLeaves(rows: Rows<MergeRow>): readonly Hidden[] {
  const hidden: Hidden[] = [];
  hide(tree(rows), hidden);
  return hidden;
}

function tree(rows: Rows<MergeRow>): Node {
  const root = emptyNode();
  eachLive(rows, (replica, path, leaf) => {
    insert(root, { replica, path, leaf });
  });
  return root;
}

const emptyNode = (): Node => ({ own: [], children: null, best: null, bestOfObject: null });

function insert(root: Node, shown: Shown): void {
  let node = root;
  for (const segment of segmentsOf(shown.path)) {
    node.best = better(node.best, shown);
    node.bestOfObject = better(node.bestOfObject, shown);
    node = childOf(node, segment);
  }
  node.own.push(shown);
  node.best = better(node.best, shown);
  if (isMarker(shown.leaf.value)) node.bestOfObject = better(node.bestOfObject, shown);
}

function childOf(node: Node, segment: string): Node {
  node.children ??= new Map();
  let child = node.children.get(segment);
  if (child === undefined) {
    child = emptyNode();
    node.children.set(segment, child);
  }
  return child;
}

const better = (a: Shown | null, b: Shown): Shown => (a === null || outranks(b, a) ? b : a);

/** Leaves that one operation wrote share their stamp: the lower path is the better one then, so that the order is total. */
function outranks(a: Shown, b: Shown): boolean {
  if (a.replica !== b.replica) return beats(a.leaf.stamp, a.replica, b.leaf.stamp, b.replica);
  const order = compareStamps(a.leaf.stamp, b.leaf.stamp);
  return order === 0 ? a.path < b.path : order > 0;
}

/** True where a scalar shows at this path, false where the object does. */
const showsScalar = (node: Node): boolean => node.best !== node.bestOfObject;

function render(node: Node): Json {
  if (showsScalar(node) && node.best !== null) return node.best.leaf.value;
  const object: Record<string, Json> = {};
  for (const field of [...(node.children?.keys() ?? [])].sort()) {
    const child = node.children?.get(field);
    if (child !== undefined) object[field] = render(child);
  }
  return Object.freeze(object);
}

function hide(node: Node, hidden: Hidden[]): void {
  const { best, own, children } = node;
  if (best === null) return;
  const scalarShows = showsScalar(node);
  for (const lost of own) {
    const shows = scalarShows ? lost === best : isMarker(lost.leaf.value);
    if (!shows) hidden.push({ lost, won: best });
  }
  for (const child of children?.values() ?? []) {
    if (scalarShows) hideAll(child, best, hidden);
    else hide(child, hidden);
  }
}

function hideAll(node: Node, won: Shown, hidden: Hidden[]): void {
  for (const lost of node.own) hidden.push({ lost, won });
  for (const child of node.children?.values() ?? []) hideAll(child, won, hidden);
}
