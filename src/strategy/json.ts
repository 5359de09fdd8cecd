/**
 * The values that variables hold, their limits, and their canonical bytes.
 *
 * Numbers are finite; integers lie within ±(2^53−1); −0 is 0. The keys `__proto__`, `constructor` and `prototype` are refused here,
 * at the edge.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export const maxDepth = 32;
export const maxValueBytes = 1_048_576;
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
