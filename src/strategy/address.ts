/**
 * The address of a value: the variable's name, strategy, window rule, window and key. Changing any of these gives a new address; the
 * old rows stay, are listed, and are never joined with the new.
 *
 * An address id is text, `name:strategy:rule:window:key`: `vouchers:bounded-counter:day@Asia/Ho_Chi_Minh:2026-11-20:` or
 * `profile:merge-objects:::"ann"`. Keys are JSON, so that ids of one variable and window sort and can be scanned by prefix.
 */
import type { StrategyName } from './strategy.ts';

/** A key is a string of 1–512 bytes, a safe integer, or a list of them. */
export type Key = string | number | readonly (string | number)[];

export interface Address {
  readonly id: string;
  readonly variable: string;
  readonly strategy: StrategyName;
  /** `day@Asia/Ho_Chi_Minh`, or '' without a window. */
  readonly rule: string;
  /** `2026-11-20`, or '' without a window. */
  readonly window: string;
  readonly key: Key | null;
}
