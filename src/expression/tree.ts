/** A parsed expression: the whole language, as data. Offsets are into the text that the expression stands in. */
import type { Json } from '../strategy/json.ts';

export type BinaryOperator = '===' | '!==' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';
export type LogicalOperator = '&&' | '||' | '??';

interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Spread extends Range {
  readonly kind: 'spread';
  readonly value: Tree;
}

/** `name` is null for a computed key, which `computed` then holds. */
export interface Property extends Range {
  readonly kind: 'property';
  readonly name: string | null;
  readonly computed: Tree | null;
  readonly value: Tree;
}

export interface Arrow extends Range {
  readonly kind: 'arrow';
  readonly parameters: readonly string[];
  readonly body: Tree;
}

export type Tree = Range &
  (
    | { readonly kind: 'literal'; readonly value: Json }
    | { readonly kind: 'template'; readonly texts: readonly string[]; readonly parts: readonly Tree[] }
    | { readonly kind: 'list'; readonly items: readonly (Tree | Spread)[] }
    | { readonly kind: 'object'; readonly properties: readonly (Property | Spread)[] }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'member'; readonly object: Tree; readonly name: string; readonly optional: boolean }
    | { readonly kind: 'index'; readonly object: Tree; readonly index: Tree; readonly optional: boolean }
    | { readonly kind: 'not'; readonly value: Tree }
    | { readonly kind: 'negate'; readonly value: Tree }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Tree; readonly right: Tree }
    | { readonly kind: 'logical'; readonly operator: LogicalOperator; readonly left: Tree; readonly right: Tree }
    | { readonly kind: 'conditional'; readonly test: Tree; readonly consequent: Tree; readonly alternate: Tree }
    | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Tree[] }
    /** `list.map(x => …)`; `optional` when a `?.` stands anywhere before it in the chain. */
    | {
        readonly kind: 'method';
        readonly object: Tree;
        readonly name: string;
        readonly optional: boolean;
        readonly arrow: Arrow;
        readonly parameters: readonly Tree[];
      }
  );

/** A string with `${ … }` in it: what stands around the parts, one more than there are parts. */
export interface Template {
  readonly texts: readonly string[];
  readonly parts: readonly Tree[];
}

export type TreeOf<Kind extends Tree['kind']> = Extract<Tree, { kind: Kind }>;
