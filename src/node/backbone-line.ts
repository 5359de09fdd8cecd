/** A session that is opened when it is needed, and again after it failed: at once the first time, then after ever longer pauses, with jitter. */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import { openSession, type Session, type SessionOptions } from './backbone-session.ts';

export interface Line {
  /** The session, opened if need be: whoever asks while it pauses waits for the next try. Rejects with UNREACHABLE or INVALID_APP. */
  session(): Promise<Session>;
  close(): void;
}

export interface LineOptions extends SessionOptions {
  readonly host: Host;
  /** Told when the server was reached but must not be used. */
  readonly refused: (error: CffbrwError) => void;
}

const firstDelayMs = 50;
const lastDelayMs = 1_000;

export function createLine(options: LineOptions): Line {
  const { host } = options;
  let opening: Promise<Session> | null = null;
  let current: Session | null = null;
  let failures = 0;
  let closed = false;

  async function open(): Promise<Session> {
    try {
      if (failures > 0) await pause(Math.min(lastDelayMs, firstDelayMs * 2 ** failures) * (0.5 + host.random() / 2));
      const session = await openSession(options);
      if (closed) session.end();
      current = session;
      failures = 0;
      return session;
    } catch (error) {
      failures += 1;
      if (error instanceof CffbrwError && error.code === 'INVALID_APP') options.refused(error);
      throw error;
    } finally {
      opening = null;
    }
  }

  const pause = (delayMs: number) => new Promise<void>((resolve) => void host.after(delayMs, resolve));

  return {
    async session() {
      if (closed) throw new CffbrwError('CLOSED', 'the connection to the backbone is closed');
      if (current !== null && !current.ended) return current;
      opening ??= open();
      return opening;
    },
    close() {
      closed = true;
      current?.end();
    },
  };
}
