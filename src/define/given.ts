/** What may stand where a step wants a value: the value, or a template that gives it when the step runs. */
import type { Json } from '../strategy/json.ts';

/** One `${ … }`, as a whole: it keeps the type of what it gives. The compiler checks what is inside. */
export type Expression = `\${${string}}`;

/** A value of this type, in which any part may be an expression. Strings may hold expressions anywhere. */
export type Given<T> = Json extends T
  ? Json
  :
      | Expression
      | (T extends readonly (infer Element)[]
          ? readonly Given<Element>[]
          : T extends object
            ? { readonly [Name in keyof T]: Given<T[Name]> }
            : T);

export type GivenNumber = number | Expression;
/** A bare expression that gives true or false: `vars.banner.open`. */
export type Condition = string | boolean;
/** `200ms`, `10s`, `5m`, `24h`, `7d`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;
export type GivenDuration = Duration | Expression;
/** A string of 1–512 bytes, a safe integer, or a list of them; all of them may be expressions. */
export type GivenKey = string | number | readonly (string | number)[];
