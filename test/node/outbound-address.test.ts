/** Which addresses are of the public Internet, whatever form they come in. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, isGloballyRoutable, parseAddress, parseRange } from '../../src/node/outbound-address.ts';

const runs = 200 * Number(process.env.CFFBRW_RUNS ?? 1);
const routable = (text: string): boolean => {
  const bytes = parseAddress(text);
  return bytes !== null && isGloballyRoutable(bytes);
};

/** The first and the last address of each block that nobody outside may be led to. */
const edges: readonly (readonly [name: string, first: string, last: string])[] = [
  ['this network', '0.0.0.0', '0.255.255.255'],
  ['private', '10.0.0.0', '10.255.255.255'],
  ['shared by a carrier', '100.64.0.0', '100.127.255.255'],
  ['loopback', '127.0.0.0', '127.255.255.255'],
  ['link-local', '169.254.0.0', '169.254.255.255'],
  ['private', '172.16.0.0', '172.31.255.255'],
  ['protocol assignments', '192.0.0.0', '192.0.0.255'],
  ['documentation', '192.0.2.0', '192.0.2.255'],
  ['relays', '192.88.99.0', '192.88.99.255'],
  ['private', '192.168.0.0', '192.168.255.255'],
  ['benchmarking', '198.18.0.0', '198.19.255.255'],
  ['documentation', '198.51.100.0', '198.51.100.255'],
  ['documentation', '203.0.113.0', '203.0.113.255'],
  ['multicast, reserved, broadcast', '224.0.0.0', '255.255.255.255'],
  ['unspecified to compatible', '::', '::ffff:ffff'],
  ['local NAT64', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
  ['discard only', '100::', '100::ffff:ffff:ffff:ffff'],
  ['Teredo and other assignments', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['documentation', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['segment routing', '5f00::', '5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['unique local', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['link-local', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['site-local', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['multicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
];

test.each(edges)('%s: %s to %s is not public', (_, first, last) => {
  expect([routable(first), routable(last)]).toEqual([false, false]);
});

test.each([
  ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255'],
  ...['169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0'],
  ...['223.255.255.255', '8.8.8.8', '2000::', '2001:200::', '2001:4860:4860::8888', '2606:4700::1111', '3ffe:ffff::', '2003::1'],
  ...['::ffff:8.8.8.8', '::ffff:808:808', '64:ff9b::8.8.8.8'],
])('%s is public', (address) => {
  expect(routable(address)).toBe(true);
});

test('An IPv4 address is judged alike in every form that leads to it', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(byte, byte, byte, byte, (...bytes) => {
      const dotted = bytes.join('.');
      const hex = bytes.map((part) => part.toString(16).padStart(2, '0')).join('');
      const pair = `${hex.slice(0, 4)}:${hex.slice(4)}`;
      const plain = routable(dotted);
      for (const wrapped of [
        `::ffff:${dotted}`,
        `::ffff:${pair}`,
        `0:0:0:0:0:ffff:${pair}`,
        `64:ff9b::${dotted}`,
        `64:ff9b::${pair}`,
      ])
        expect([wrapped, routable(wrapped)]).toEqual([wrapped, plain]);
      for (const never of [
        `::${dotted}`,
        `::${pair}`,
        `2002:${pair}::1`,
        `64:ff9b:1::${pair}`,
        `::ffff:0:${pair}`,
        `2001:0:${pair}::`,
      ])
        expect([never, routable(never)]).toEqual([never, false]);
    }),
    { numRuns: runs },
  );
});

test.each([
  ...[
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '0177.0.0.1',
    '127.0.0.1.',
    '127.0.0.1:80',
    '[::1]',
    'fe80::1%lo',
    '::1%1',
  ],
  ...[
    '::ffff:127.0.0.1%lo',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    ':::',
    '1::2::3',
    '12345::',
    ' 8.8.8.8',
    '8.8.8.8 ',
    '8.8.8.8/32',
  ],
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeNull();
});

describe('ranges', () => {
  const inRange = (range: string, address: string): boolean => {
    const [parsed, bytes] = [parseRange(range), parseAddress(address)];
    if (parsed === null || bytes === null) throw new Error('not parsed');
    return contains(parsed, bytes);
  };

  test.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.0'],
    ['10.1.2.3/8', '10.255.0.1', '9.255.255.255'],
    ['192.168.4.0/22', '192.168.7.255', '192.168.8.0'],
    ['192.168.1.7', '192.168.1.7', '192.168.1.6'],
    ['0.0.0.0/0', '255.255.255.255', '::1'],
    ['fd00::/7', 'fcff::1', 'fe00::1'],
    ['::1', '::1', '::2'],
    ['::/0', 'ffff::', '127.0.0.1'],
    ['127.0.0.1', '::ffff:7f00:1', '::7f00:1'],
    ['::ffff:10.0.0.0/104', '10.1.2.3', '11.1.2.3'],
    ['64:ff9b::a00:0/104', '10.1.2.3', '::a01:203'],
  ])('%s holds %s and not %s', (range, inside, outside) => {
    expect([inRange(range, inside), inRange(range, outside)]).toEqual([true, false]);
  });

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/0x8',
    'fe80::1%lo/64',
    'host/8',
    '10/8',
  ])('%s is none', (text) => {
    expect(parseRange(text)).toBeNull();
  });
});
