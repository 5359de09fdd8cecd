/**
 * Internet addresses: their bytes, the ranges that they lie in, and whether the whole Internet can reach them. It looks nothing up, and
 * compares bytes, never texts.
 *
 * Invariants:
 *   A1  One destination has one form: an IPv4 address inside an IPv6 one (mapped, NAT64) is judged as that IPv4 address.
 *   A2  What is not known to be globally routable is not: of IPv6 only 2000::/3, and what can't be read as an address is none.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** 4 bytes or 16 bytes. */
export type AddressBytes = readonly number[];

export interface Range {
  readonly bytes: AddressBytes;
  readonly prefixBits: number;
}

/** The address that a packet to `text` goes to (A1), or null: no address, or one with a zone. Takes no brackets. */
export function parseAddress(text: string): AddressBytes | null {
  const bytes = readAddress(text);
  return bytes !== null && isWrapped(bytes) ? bytes.slice(wrappingBits / 8) : bytes;
}

function readAddress(text: string): AddressBytes | null {
  if (isIPv4(text)) return text.split('.').map(Number);
  return isIPv6(text) && !text.includes('%') ? parseIPv6(text) : null;
}

function parseIPv6(text: string): number[] {
  const [head = [], tail] = text.split('::').map(bytesOf);
  if (tail === undefined) return [...head];
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

/** The bytes of `20:1f`, and of `20:1f:127.0.0.1`. */
const bytesOf = (groups: string): readonly number[] =>
  groups === ''
    ? []
    : groups.split(':').flatMap((group) => {
        if (group.includes('.')) return group.split('.').map(Number);
        const value = Number.parseInt(group, 16);
        return [value >> 8, value & 255];
      });

/** `10.0.0.0/8`, or one address; null for anything else. */
export function parseRange(text: string): Range | null {
  const [address = '', prefix, more] = text.split('/');
  const bytes = readAddress(address);
  if (bytes === null || more !== undefined) return null;
  const bits = prefix === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(bits <= bytes.length * 8)) return null;
  return bits >= wrappingBits && isWrapped(bytes)
    ? { bytes: bytes.slice(wrappingBits / 8), prefixBits: bits - wrappingBits }
    : { bytes, prefixBits: bits };
}

export function contains({ bytes, prefixBits }: Range, address: AddressBytes): boolean {
  if (bytes.length !== address.length) return false;
  for (let at = 0; at * 8 < prefixBits; at++) {
    const shift = Math.max(0, 8 - (prefixBits - at * 8));
    if ((bytes[at] ?? 0) >> shift !== (address[at] ?? 0) >> shift) return false;
  }
  return true;
}

const ranges = (...texts: readonly string[]): readonly Range[] =>
  texts.map((text) => {
    const [address = '', prefix] = text.split('/');
    return { bytes: isIPv4(address) ? address.split('.').map(Number) : parseIPv6(address), prefixBits: Number(prefix) };
  });

/** RFC 4291, 2.5.5.2 (mapped), and RFC 6052, 2.1 (NAT64): where a network has only IPv6, names of IPv4 machines resolve to these. */
const wrapping = ranges('::ffff:0:0/96', '64:ff9b::/96');
const wrappingBits = 96;

const isWrapped = (bytes: AddressBytes): boolean => wrapping.some((range) => contains(range, bytes));

/**
 * The registries of RFC 6890 as of 2025. Where they list something globally reachable inside a block (192.0.0.9, 2001:3::/32, …), it is
 * infrastructure that no API lives on: the whole block is refused.
 */
const special = ranges(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
  // Protocol assignments, documentation, the 6to4 relays, benchmarking.
  ...['192.0.0.0/24', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '192.88.99.0/24', '198.18.0.0/15'],
  // AS112 and AMT; multicast; reserved, with the broadcast address.
  ...['192.31.196.0/24', '192.52.193.0/24', '192.175.48.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // Public by its number only: the platform's own server inside every machine of Azure.
  '168.63.129.16/32',
  // Teredo, benchmarking, ORCHID and other protocol assignments; documentation; 6to4; AS112; documentation.
  ...['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'],
);

/** Everything else of IPv6 is loopback, unspecified, compatible, local NAT64, unique or link or site local, multicast, or unassigned. */
const globalUnicast = ranges('2000::/3');

/** What `parseAddress` gave: whether it is a machine of the public Internet (A2). */
export const isGloballyRoutable = (address: AddressBytes): boolean =>
  (address.length === 4 || globalUnicast.some((range) => contains(range, address))) &&
  !special.some((range) => contains(range, address));
