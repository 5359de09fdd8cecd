/**
 * How outbound requests connect: to addresses of the public Internet, and to what the app allows by name or range.
 *
 * It never decides on a name, and never on an address that is not the one that the socket is given.
 *
 * Invariants:
 *   O1  A name is looked up once per connection; every answer is checked, and one that is refused refuses all. The socket gets the list
 *       that was checked, so a second, different answer has nowhere to come in. An address in the URL is checked in the same way.
 *   O2  A connection that is used again was checked when it was made, under the same rules: pools belong to one guard.
 *   O3  Whatever went wrong before there was a connection is UNREACHABLE or FORBIDDEN_ADDRESS, and nothing else is.
 */
import { lookup as lookUp } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { CffbrwError } from '../error.ts';
import { contains, isGloballyRoutable, parseAddress, parseRange, type Range } from './outbound-address.ts';

/** Every address of a name. Rejects when it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export interface GuardOptions {
  /** Host names, addresses, and ranges such as `10.0.0.0/8`, that may be reached although they are not public. */
  readonly allow?: readonly string[];
  /** Default: as every program of this machine does it. */
  readonly resolve?: Resolve;
}

export interface Guard {
  /** Throws FORBIDDEN_ADDRESS when a connection for `hostname` may not go to `address`. */
  check(hostname: string, address: string): void;
  /** What may be connected to for `hostname`: never empty. Rejects with FORBIDDEN_ADDRESS, or as the look-up does. */
  addresses(hostname: string): Promise<readonly string[]>;
}

/** Throws INVALID_APP for an entry of `allow` that is neither a name nor a range. */
export function createGuard({ allow = [], resolve = systemResolve }: GuardOptions): Guard {
  const names = new Set<string>();
  const ranges: Range[] = [];
  for (const entry of allow) {
    const range = parseRange(entry);
    if (range !== null) ranges.push(range);
    else if (hostPattern.test(entry) && isIP(entry) === 0) names.add(withoutDot(entry.toLowerCase()));
    else throw notAnEntry(entry);
  }
  const check = (hostname: string, address: string): void => {
    if (names.has(withoutDot(hostname))) return;
    const bytes = parseAddress(address);
    if (bytes !== null && (isGloballyRoutable(bytes) || ranges.some((range) => contains(range, bytes)))) return;
    throw forbidden();
  };
  return {
    check,
    async addresses(hostname) {
      const found = await resolve(hostname);
      for (const address of found) check(hostname, address);
      if (found.length === 0 || found.some((address) => isIP(address) === 0)) throw forbidden();
      return found;
    },
  };
}

const systemResolve: Resolve = async (hostname) => (await lookUp(hostname, { all: true })).map(({ address }) => address);

/** Letters, digits, hyphens and underscores between dots; no number as its last part, which would be an address misspelt. */
const hostPattern = /^(?!(.*\.)?(\d+|0x[0-9a-f]*)\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i;

const withoutDot = (hostname: string): string => (hostname.endsWith('.') ? hostname.slice(0, -1) : hostname);

const notAnEntry = (entry: string) =>
  new CffbrwError('INVALID_APP', `\`${entry}\` in \`outbound.allow\` is neither the name of a host nor a range of addresses`, {
    fix: 'Write a name (`billing.internal`), an address (`10.0.0.7`) or a range (`10.0.0.0/8`), without scheme and port.',
  });

/** Says nothing of the address: whoever asked could learn from it what there is inside. */
export const forbidden = () =>
  new CffbrwError('FORBIDDEN_ADDRESS', 'the address is not one of the public Internet', {
    fix: 'If the app is meant to reach it, name its host or range in cffbrw.yaml: `outbound: { allow: [billing.internal] }`.',
  });

/** For `Agent`: connects as the guard says (O1). `build` is undici's. */
export function createConnector(guard: Guard, build: typeof buildConnector, timeoutMs: number): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    guard.addresses(hostname).then(
      (found) => {
        const all = found.map((address) => ({ address, family: isIP(address) }));
        if (options.all === true) callback(null, all);
        else callback(null, all[0]?.address ?? '', all[0]?.family);
      },
      (error: Error) => callback(error, '', 0),
    );
  };
  const connect = build({ lookup, timeout: timeoutMs, allowH2: false, autoSelectFamily: true });
  return (options, callback) => {
    const refuse = (error: unknown) => callback(unreachable(error), null);
    const done: buildConnector.Callback = (...[error, socket]) => {
      if (error !== null) return refuse(error);
      try {
        if (socket.remoteAddress !== undefined) guard.check(options.hostname, socket.remoteAddress);
      } catch (unexpected) {
        socket.destroy();
        return refuse(unexpected);
      }
      return callback(null, socket);
    };
    try {
      // Sockets look up no literals.
      if (isIP(options.hostname) !== 0) guard.check(options.hostname, options.hostname);
    } catch (error) {
      queueMicrotask(() => refuse(error));
      return;
    }
    connect(options, done);
  };
}

/** O3. */
function unreachable(error: unknown): CffbrwError {
  if (error instanceof CffbrwError) return error;
  return new CffbrwError('UNREACHABLE', 'no connection could be made', {
    cause: error,
    fix: 'Check the address, and that the other server is up.',
  });
}
