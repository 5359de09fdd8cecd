/** A session that is opened when it is needed, and again after it failed: at once the first time, then ever further apart, with jitter. */
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

/** Tries begin so far apart: one that nobody answered for as long is followed by the next at once. */
const firstApartMs = 100;
const lastApartMs = 500;

export function createLine(options: LineOptions): Line {
  const { host } = options;
  let opening: Promise<Session> | null = null;
  let current: Session | null = null;
  let failures = 0;
  let beganMs = 0;
  let closed = false;

  async function open(): Promise<Session> {
    try {
      await pause(beganMs + apartMs() - host.elapsed());
      beganMs = host.elapsed();
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

  const apartMs = () =>
    failures === 0 ? 0 : Math.min(lastApartMs, firstApartMs * 2 ** (failures - 1)) * (0.5 + host.random() / 2);
  const pause = async (delayMs: number) => {
    if (delayMs > 0) await new Promise<void>((resolve) => void host.after(delayMs, resolve));
  };

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
