/**
 * Expressions with their names resolved: what a value is made of, as far back as reads of variables, the request, and what steps gave.
 * Equal terms are one object, so two expressions that say the same in other words (through `let`, say) compare as the same.
 */
import type { Json } from '../strategy/json.ts';

interface Base {
  readonly id: number;
  /** The reads and symbols that it is made of, at any depth, those in keys too. What `age()` asks of is none. */
  readonly roots: ReadonlySet<Root>;
  /** How many terms are inside, itself included, where what stands in several places counts as often. */
  readonly size: number;
}

export interface ReadTerm extends Base {
  readonly kind: 'read';
  readonly variable: string;
  /** Null: the variable is not keyed. */
  readonly key: Term | null;
  readonly window: 'current' | 'previous';
}

export type Origin = 'request' | 'take' | 'http' | 'secret' | 'other';

/** Something that is not looked into: the request, what a step gave, an element of a list. */
export interface SymbolTerm extends Base {
  readonly kind: 'symbol';
  readonly origin: Origin;
  readonly name: string;
}

export type Root = ReadTerm | SymbolTerm;

/** A field of an object; `name` is a term where it is computed, and null for what is spread. */
export interface Field {
  readonly name: string | Term | null;
  readonly value: Term;
}

export type Term =
  | Root
  | (Base & { readonly kind: 'literal'; readonly value: Json })
  | (Base & { readonly kind: 'object'; readonly fields: readonly Field[] })
  | (Base & { readonly kind: 'member'; readonly object: Term; readonly name: string })
  /** Anything else: an operator, a function, a list. `either` is one of its parts but the first, as the first decides. */
  | (Base & { readonly kind: 'operation'; readonly name: string; readonly parts: readonly Term[] });

type Content<Kind extends Term['kind']> = Omit<Extract<Term, { kind: Kind }>, keyof Base | 'kind'>;

export interface Terms {
  literal(value: Json): Term;
  read(content: Content<'read'>): Term;
  /** The same name gives the same symbol. `derived`: what it is made of all the same. */
  symbol(origin: Origin, name: string, derived?: readonly Term[]): SymbolTerm;
  object(fields: readonly Field[]): Term;
  member(object: Term, name: string): Term;
  operation(name: string, ...parts: readonly Term[]): Term;
}

const noRoots: ReadonlySet<Root> = new Set();

/** A larger term is not looked into: names that double a name (`let: { b: a + a }`) make one of any size in a few steps. */
const maxSize = 2_000;

const sizeOf = (parts: readonly Term[]): number => parts.reduce((sum, { size }) => sum + size, 1);

/** The roots of all of them; most have those of one, and share its set. */
function union(terms: readonly Term[]): ReadonlySet<Root> {
  let all = noRoots;
  let own: Set<Root> | null = null;
  for (const { roots } of terms) {
    if (roots === all || roots.size === 0) continue;
    if (all.size === 0) all = roots;
    else {
      own ??= new Set(all);
      for (const root of roots) own.add(root);
      all = own;
    }
  }
  return all;
}

export function createTerms(): Terms {
  const known = new Map<string, Term>();
  const intern = <Made extends Term>(key: string, make: (id: number) => Made): Made => {
    const found = known.get(key);
    if (found !== undefined) return found as Made;
    const made = make(known.size);
    known.set(key, made);
    return made;
  };
  const terms: Terms = {
    literal: (value) => intern(`l${JSON.stringify(value)}`, (id) => ({ kind: 'literal', id, value, roots: noRoots, size: 1 })),
    read: (content) =>
      intern(`r${content.variable} ${content.window} ${content.key?.id ?? ''}`, (id) =>
        withSelf<ReadTerm>({ kind: 'read', id, ...content }, content.key === null ? [] : [content.key]),
      ),
    symbol: (origin, name, derived = []) =>
      intern(`s${origin} ${name}`, (id) => withSelf<SymbolTerm>({ kind: 'symbol', id, origin, name }, derived)),
    object(fields) {
      const parts = fields.flatMap(({ name, value }) => (typeof name === 'object' && name !== null ? [name, value] : [value]));
      const key = `o${JSON.stringify(fields.map(({ name, value }) => [nameId(name), value.id]))}`;
      return intern<Term>(key, (id) => bounded({ ...{ kind: 'object', id, fields }, roots: union(parts), size: sizeOf(parts) }));
    },
    member(object, name) {
      const inside = fieldOf(object, name, terms);
      const { roots, size } = object;
      return (
        inside ??
        intern<Term>(`m${object.id} ${name}`, (id) => bounded({ kind: 'member', id, object, name, roots, size: size + 1 }))
      );
    },
    operation: (name, ...parts) =>
      intern<Term>(`p${name} ${parts.map((part) => part.id).join()}`, (id) =>
        bounded({
          ...{ kind: 'operation', id, name, parts },
          roots: name === 'age' ? noRoots : union(parts),
          size: sizeOf(parts),
        }),
      ),
  };
  return terms;
}

/** Of a term that is too large only what it is made of is kept. */
const bounded = (term: Term): Term =>
  term.size <= maxSize ? term : { kind: 'operation', id: term.id, name: 'large', parts: [], roots: term.roots, size: 1 };

const nameId = (name: Field['name']): string | number | null => (typeof name === 'object' ? (name?.id ?? null) : name);

function withSelf<Self extends Root>(content: Omit<Self, 'roots' | 'size'>, others: readonly Term[]): Self {
  const roots = new Set<Root>(union(others));
  const self = { ...content, roots, size: sizeOf(others) } as unknown as Self;
  roots.add(self);
  return self;
}

/** What a member of a term is, where that can be told: a field of an object that is written out, in whichever arm. */
function fieldOf(object: Term, name: string, terms: Terms): Term | undefined {
  if (object.kind === 'operation' && object.name === 'either') {
    const [decides, ...arms] = object.parts;
    return decides && terms.operation('either', decides, ...arms.map((arm) => terms.member(arm, name)));
  }
  if (object.kind === 'literal' && object.value === null) return object;
  if (object.kind !== 'object') return undefined;
  for (const field of [...object.fields].reverse()) {
    if (field.name === name) return field.value;
    if (typeof field.name !== 'string') return undefined;
  }
  return terms.literal(null);
}

const reads = new WeakMap<ReadonlySet<Root>, readonly ReadTerm[]>();

export function readsOf({ roots }: Term): readonly ReadTerm[] {
  const found = reads.get(roots) ?? [...roots].filter((root) => root.kind === 'read');
  reads.set(roots, found);
  return found;
}

/** Every term inside, the term itself first. */
export function* within(term: Term): Generator<Term> {
  yield term;
  if (term.kind === 'member') yield* within(term.object);
  else if (term.kind === 'read' && term.key !== null) yield* within(term.key);
  else if (term.kind === 'operation') for (const part of term.parts) yield* within(part);
  else if (term.kind === 'object') {
    for (const { name, value } of term.fields) {
      if (typeof name === 'object' && name !== null) yield* within(name);
      yield* within(value);
    }
  }
}
