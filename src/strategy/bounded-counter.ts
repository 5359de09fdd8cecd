/** bounded-counter: a stock that never goes below its bound. The row is one replica's part; the rights come from the bank. */
export interface BoundedRow {
  /** Total units ever leased to this replica, as the bank showed them. */
  readonly leased: number;
  /** Total units this replica has handed back: decided here first, then shown by the bank. */
  readonly returned: number;
  readonly taken: number;
  readonly given: number;
  /** Units that takes waiting here lack; others that hold idle rights return them. */
  readonly wants: number;
}
