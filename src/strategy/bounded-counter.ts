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
  /** Units of `taken` that came straight from the bank (`strong`), never through a lease. */
  readonly strong: number;
  /** Totals that this replica has minted and burned: decided here first, then shown by the bank. */
  readonly minted: number;
  readonly burned: number;
  /** The units that the bank was created with, as the bank showed it here; null: not seen yet. */
  readonly initial: number | null;
}
