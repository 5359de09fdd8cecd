/**
 * Who may ask: whoever has the token; or, in `dev`, whoever is on this machine and is no page of somebody else's.
 *
 * A browser sends what a foreign page asks for to any address that its name resolves to. So on loopback the name in `Host` must be this
 * machine's (a name that was rebound to 127.0.0.1 is another one), and a request that a page made must come from a page of this server.
 *
 * Wrong tokens are refused without end, but only so many a minute with a word about them. The right one is always let in: nobody can lock
 * its owner out by guessing.
 */
import { CffbrwError } from '../../error.ts';
import type { Host } from '../../host.ts';
import { checkBearer } from '../access.ts';
import { RequestInbound } from '../body.ts';

export interface Guard {
  /** null: none is asked for. Only with `loopback`. */
  readonly token: string | null;
  /** The server listens on this machine alone: `Host` and `Origin` are looked at. */
  readonly loopback: boolean;
}

export const minTokenLength = 16;

/** Throws INVALID_APP for a guard that guards nothing. */
export function checkGuard({ token, loopback }: Guard): void {
  if (token === null && !loopback) throw new CffbrwError('INVALID_APP', 'the admin API is never served without a token');
  if (token === null || (token.length >= minTokenLength && /^[\x21-\x7e]+$/.test(token))) return;
  throw new CffbrwError('INVALID_APP', `the token has fewer than ${minTokenLength} visible ASCII characters, or others`, {
    fix: 'Make one with: openssl rand -hex 32',
  });
}

const loopbackName = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/** Throws FORBIDDEN for a name that is not this machine's. */
export function checkHost(request: Request): void {
  const host = hostOf(request);
  if (loopbackName.test(host)) return;
  throw new CffbrwError('FORBIDDEN', `this server is for this machine alone, and was asked for as ${host.slice(0, 100)}`, {
    fix: 'Use http://127.0.0.1 or http://localhost.',
  });
}

/** `Host`, or, where a platform shows it in the URL alone, that. */
const hostOf = (request: Request): string => request.headers.get('host') ?? new URL(request.url).host;

/** Throws FORBIDDEN for what a page of another origin asks (also one without an origin: a file, a sandbox). */
function checkOrigin(request: Request): void {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  const foreign = origin !== null && origin.toLowerCase() !== `http://${hostOf(request).toLowerCase()}`;
  if (!foreign && (site === null || site === 'same-origin' || site === 'none')) return;
  throw new CffbrwError('FORBIDDEN', 'a page of another origin may not ask this');
}

export interface Door {
  /** Throws UNAUTHORIZED, FORBIDDEN or TOO_MANY_FAILURES. */
  admit(request: Request): void;
  isAdmitted(request: Request): boolean;
}

/** So many wrong tokens a minute are refused as wrong, the others as too many. */
export const maxFailures = 60;
const minuteMs = 60_000;

export function createDoor({ token, loopback }: Guard, host: Pick<Host, 'elapsed'>): Door {
  let failures = 0;
  let sinceMs = Number.NEGATIVE_INFINITY;

  function countFailure(): void {
    const nowMs = host.elapsed();
    if (nowMs - sinceMs >= minuteMs) [failures, sinceMs] = [0, nowMs];
    failures += 1;
    if (failures <= maxFailures) return;
    throw new CffbrwError('TOO_MANY_FAILURES', 'too many wrong tokens in a minute', { fix: 'Use the right one: it is let in.' });
  }
  function admit(request: Request): void {
    if (loopback) {
      checkHost(request);
      checkOrigin(request);
    }
    if (token === null) return;
    try {
      checkBearer(new RequestInbound(request), token);
    } catch (error) {
      // Who brings none guesses nothing.
      if (request.headers.has('authorization')) countFailure();
      throw error;
    }
  }
  function isAdmitted(request: Request): boolean {
    try {
      admit(request);
      return true;
    } catch {
      return false;
    }
  }
  return { admit, isAdmitted };
}
