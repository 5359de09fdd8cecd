/**
 * The contract of a built app: its documents as one value of plain JSON, with each expression parsed and the place of each part, for where
 * nothing is parsed (the edge). build.ts makes it, load.ts makes an app of it: by the same compiler as on Node.js, which takes the trees
 * from here instead of from acorn. So the two can only differ where this file does not say what the documents say.
 *
 * A built app is never: changed by hand, read by another format's version, or made of documents that have a problem.
 *
 * Invariants (proven in test/cloudflare/build.test.ts):
 *   P1  The same documents give the same bytes.
 *   P2  The app that is loaded does what the app of the texts does: results, fingerprints, errors, and their places.
 *   P3  No module that index.ts reaches parses or checks texts: no acorn, yaml or zod (test/architecture.test.ts).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Template, Tree } from '../expression/tree.ts';

/** Of this form, trees included. A test says when it must rise. */
export const builtFormat = 2;

export interface BuiltDocument {
  readonly kind: 'app' | 'workflow';
  readonly file: string;
  readonly document: unknown;
  /** Null: a program built it that nobody can read, so a place is a path. */
  readonly places: BuiltPlaces | null;
}

/**
 * Where the parts of a document are. `parts` has five numbers for each value, a value before those inside it: its line, counted from that
 * of the value before; its column; the line of its field's name, counted from its own, and the column (0: it has none); and how its text
 * stands there (an index of `textStyles`).
 */
export interface BuiltPlaces {
  readonly file: string;
  readonly parts: readonly number[];
}

export const textStyles = ['plain', 'quoted', 'literal'] as const;

/** What the documents use of what can be left out. */
export interface BuiltUses {
  readonly strategies: readonly string[];
  readonly verbs: readonly string[];
  readonly functions: readonly string[];
  readonly methods: boolean;
  readonly schedules: boolean;
  /** Paths with parameters. */
  readonly patterns: boolean;
  /** Schemas that take the library. */
  readonly schemas: boolean;
}

export interface BuiltContent {
  readonly uses: BuiltUses;
  readonly documents: readonly BuiltDocument[];
  /** Each text and what it means; a text that stands twice is here once. */
  readonly expressions: readonly (readonly [text: string, tree: Tree])[];
  readonly templates: readonly (readonly [text: string, template: Template])[];
}

export interface BuiltApp extends BuiltContent {
  readonly cffbrw: 'built';
  readonly format: number;
  /** Of the content, as JSON. */
  readonly digest: string;
}

export const digestOfContent = ({ uses, documents, expressions, templates }: BuiltContent): string =>
  bytesToHex(sha256(new TextEncoder().encode(JSON.stringify([uses, documents, expressions, templates]))));
