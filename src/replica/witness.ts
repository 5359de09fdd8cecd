/**
 * The witness of a store: a small text outside the data directory that says how far the store had come, so that an older copy of the
 * directory (a restored backup, a clone) is recognised (DESIGN 5, Identity (c)).
 *
 * The replica puts the record `commitRecord` into every commit, and that record's value is the witness's text: whatever identifies the store
 * and its last commit. A store that keeps its own witness writes the text after the commit and before the commit resolves, so that it costs
 * no round trip; `write` is then already done.
 *
 * Invariants:
 *   W1  When `write(text)` has resolved, a later start on this machine finds that text or a newer one.
 *   W2  One process at a time holds a witness. The system takes the lock back when the process dies, however it dies.
 *   W3  Text that was torn or changed is found as 'missing', never as another text.
 *   W4  A process that dies leaves its store at the witnessed commit or exactly one ahead of it: the next commit starts only when the last
 *       one is witnessed, and a commit can survive a kill in the middle of its own sync (about every third kill under load does that).
 *       So one ahead, by the same identity, is as good a proof as equal: nobody was told of that commit. Behind is none, nor is further ahead.
 */

/** The record whose value is the witness's text. */
export const commitRecord = 'commit';

export interface Witness {
  /**
   * What was there when it was opened; later writes do not change the answer. 'missing': nothing, or nothing readable. 'locked': another
   * process holds it. The first commit of this process overwrites it, so what follows from it belongs into that very commit.
   */
  state(): 'missing' | 'locked' | { readonly text: string };
  /** Resolves when the text is kept. Does nothing where the state is 'locked'. Rejects with STORE_FAILED. */
  write(text: string): Promise<void>;
  /** Gives the lock back. */
  release(): Promise<void>;
}
