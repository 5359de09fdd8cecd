/**
 * All that CFFBRW asks of a platform. Everything else (stores, backbones) is built on these, so that a simulated host makes a
 * whole cluster run from one seed. Types only.
 */
export interface Host {
  /** Wall clock: integer milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds that only move forward, from an arbitrary start. For timeouts and durations. */
  elapsed(): number;
  /** A uniform number in [0, 1). */
  random(): number;
  /** An unguessable identifier of 16 random bytes, as 32 lower-case hexadecimal digits. */
  id(): string;
  /** Runs `task` once, `delayMs` from now (0: after everything that is already waiting). Returns what cancels it. */
  after(delayMs: number, task: () => void): Cancel;
  /**
   * As `after`, for what can wait: a platform that sleeps when nothing happens does not wake up for it, but runs it when it is awake for
   * another reason. Absent: such a platform this is not, and `after` is meant.
   */
  whenAwake?(delayMs: number, task: () => void): Cancel;
  /**
   * Sends it once, and follows no redirect. Rejects with FORBIDDEN_ADDRESS or UNREACHABLE only when nothing was sent; after anything else
   * it is unknown what the other side did. Ends early when `request.signal` says so.
   */
  fetch(request: Request): Promise<Response>;
}

export type Cancel = () => void;
