/** Where outbound requests may not go, in every spelling and by every way: real listeners see no connection. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { drain } from '../../src/node/host.ts';
import { createOutboundFetch, type OutboundFetch, type OutboundOptions } from '../../src/node/outbound.ts';
import { type Listening, listenAsTrap, listenHttp } from './outbound-server.ts';

let trap: Listening;
/** A server that the app allows, and that leads elsewhere. */
let guide: Listening;

beforeAll(async () => {
  trap = await listenAsTrap();
  guide = await listenHttp((request, response) => {
    response.writeHead(307, { location: decodeURIComponent(request.url?.slice(1) ?? '') }).end();
  });
});
afterAll(async () => {
  await Promise.all([trap.close(), guide.close()]);
});

/** As every literal is written in a URL. The first 30 lead to this very machine, on most systems. */
const loopback = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0x7F.0.0.0x1',
    '017700000001',
    '0177.0.0.1',
    '0177.1',
  ],
  ...[
    '127.0.0.1.',
    '127.255.255.254',
    '127.0.0.0',
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '１２７。１',
    '%31%32%37.0.0.1',
  ],
  ...['0.0.0.0', '0', '0x0', '00.0x0.0', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::ffff:127.0.0.1]'],
  ...['[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:0001]', '[::ffff:0.0.0.0]', '[::FFFF:7F00:1]'],
];
const elsewhere = [
  ...['[::127.0.0.1]', '[::7f00:1]', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b::a9fe:a9fe]'],
  ...['[64:ff9b:1::7f00:1]', '[64:ff9b:1:a9:fe00:a9fe::]', '[2002:7f00:1::]', '[2002:a9fe:a9fe::1]', '[2001:0:7f00:1::]'],
  ...['[2001:0:4136:e378:8000:63bf:80ff:fffe]', '[fe80::1]', '[fec0::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]'],
  ...['[2001:db8::1]', '[2001:2::1]', '[100::1]', '[3fff::1]', '[5f00::1]', '[::ffff:10.0.0.1]', '[::ffff:169.254.169.254]'],
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', '0xc0a80101', '3232235777', '0300.0250.1.1'],
  ...['169.254.169.254', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.43518', '100.64.0.1', '100.100.100.200'],
  ...['0.1.2.3', '192.0.0.192', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.51.100.7', '203.0.113.9', '224.0.0.1'],
  ...['239.255.255.250', '240.0.0.1', '255.255.255.255', '168.63.129.16'],
];
const hosts = [...loopback, ...elsewhere];

const literalOf = (host: string): string => new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, '');

/** `guide.test` is allowed and leads to this machine; every other name has these addresses, one list per look-up. */
function guarded(...answers: readonly (readonly string[])[]): { fetch: OutboundFetch; lookups: string[] } {
  const lookups: string[] = [];
  const resolve: OutboundOptions['resolve'] = async (name) => {
    if (name === 'guide.test') return ['127.0.0.1'];
    lookups.push(name);
    return answers[Math.min(lookups.length, answers.length) - 1] ?? [];
  };
  return { fetch: createOutboundFetch({ allow: ['guide.test'], resolve }), lookups };
}

/** The code of the refusal. What it says, names nothing of the address. */
async function refusalOf(asked: Promise<Response>, ...secrets: readonly string[]): Promise<string> {
  const error = await asked.then(
    (response) => new Error(`it was answered: ${response.status}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CffbrwError)) throw error;
  for (const secret of secrets) expect(`${error.message} ${error.fix}`).not.toContain(secret);
  return error.code;
}

test('There are at least 60 of them', () => {
  expect(new Set(hosts).size).toBe(hosts.length);
  expect(hosts.length).toBeGreaterThanOrEqual(60);
});

test.each(hosts)('%s is not reached: directly, by a redirect, or by a name', async (host) => {
  const { fetch, lookups } = guarded([literalOf(host)]);
  const url = `http://${host}:${trap.port}/`;
  expect(await refusalOf(fetch(new Request(url)), literalOf(host))).toBe('FORBIDDEN_ADDRESS');
  expect(lookups).toEqual([]);

  const redirect = await fetch(new Request(`http://guide.test:${guide.port}/${encodeURIComponent(encodeURI(url))}`));
  expect(redirect.status).toBe(307);
  await redirect.body?.cancel();

  const named = new Request(`http://named.test:${trap.port}/`);
  expect(await refusalOf(fetch(named), 'named.test', literalOf(host))).toBe('FORBIDDEN_ADDRESS');
  expect(lookups).toEqual(['named.test']);
  expect(trap.connections).toBe(0);
});

test.each([
  // 127.0.0.1 is allowed here, and stands for a public address.
  ['a private address behind a public one', ['127.0.0.1', '::1']],
  ['a private address before a public one', ['::1', '127.0.0.1']],
  ['a private address among public ones', ['127.0.0.1', '127.0.0.2', '127.0.0.1']],
  ['what is no address behind a public one', ['127.0.0.1', 'localhost']],
  ['an address with a zone', ['fe80::1%lo']],
  ['this machine with a zone', ['::1%lo']],
  ['a mapped address with a zone', ['::ffff:127.0.0.1%1']],
  ['what is no address', ['127.1']],
  ['another name', ['localhost']],
  ['an empty text', ['']],
  ['nothing', []],
])('A name with %s is refused as a whole', async (_, addresses) => {
  const fetch = createOutboundFetch({ allow: ['127.0.0.1'], resolve: async () => addresses });
  expect(await refusalOf(fetch(new Request(`http://named.test:${trap.port}/`)))).toBe('FORBIDDEN_ADDRESS');
  expect(trap.connections).toBe(0);
});

test('The names of this machine are refused, as its own look-up answers', async () => {
  const fetch = createOutboundFetch();
  for (const name of ['localhost', 'LOCALHOST', 'localhost.']) {
    const code = await refusalOf(fetch(new Request(`http://${name}:${trap.port}/`)));
    expect(['FORBIDDEN_ADDRESS', 'UNREACHABLE']).toContain(code);
  }
  expect(trap.connections).toBe(0);
});

test('A name that changes its answer is looked up once per connection, and every time checked', async () => {
  const lookups: string[] = [];
  const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']];
  // Only 127.0.0.1 is allowed: the second answer stands for one that leads elsewhere.
  const fetch = createOutboundFetch({
    allow: ['127.0.0.1'],
    resolve: async (name) => answers[lookups.push(name) - 1] ?? ['127.0.0.2'],
  });
  const server = await listenHttp((_, response) => void response.setHeader('connection', 'close').end('here'));
  const ask = () => fetch(new Request(`http://changing.test:${server.port}/`));
  expect(await (await ask()).text()).toBe('here');
  expect(lookups.length).toBe(1);
  expect(await refusalOf(ask())).toBe('FORBIDDEN_ADDRESS');
  expect(await (await ask()).text()).toBe('here');
  expect([lookups.length, server.connections]).toEqual([3, 2]);
  await server.close();
});

test('A connection is used again only by those for whom it was checked', async () => {
  const server = await listenHttp((_, response) => void response.end('here'));
  const resolve = async () => ['127.0.0.1'];
  const allowing = createOutboundFetch({ allow: ['inside.test'], resolve });
  const ask = (fetch: OutboundFetch, name = 'inside.test') => fetch(new Request(`http://${name}:${server.port}/`));
  for (let round = 0; round < 5; round++) {
    expect(await (await ask(allowing)).text()).toBe('here');
    await drain();
  }
  const made = server.connections;
  expect(made).toBeLessThan(5);
  expect(await refusalOf(ask(createOutboundFetch({ resolve })))).toBe('FORBIDDEN_ADDRESS');
  expect(await refusalOf(ask(allowing, 'outside.test'))).toBe('FORBIDDEN_ADDRESS');
  expect(server.connections).toBe(made);
  await server.close();
});

test.each([
  `http://127.0.0.1:%d\\@public.test/`,
  `http:/\\127.0.0.1:%d/`,
  `http:127.0.0.1:%d/`,
  `http://127.0.0.1:%d#@public.test/`,
  `http://127.0.0.1:%d?@public.test/`,
  `ht\ntp://127.0.0\t.1:%d/`,
  `\u0000 http://127.0.0.1:%d/ `,
  `HTTP://127.0.0.1:%d/`,
  `https://127.0.0.1:%d/`,
])('%j is seen through', async (pattern) => {
  const { fetch, lookups } = guarded();
  expect(await refusalOf(fetch(new Request(pattern.replace('%d', String(trap.port)))))).toBe('FORBIDDEN_ADDRESS');
  expect(lookups).toEqual([]);
  expect(trap.connections).toBe(0);
});

test.each([
  'file:///etc/passwd',
  'data:text/plain,hello',
  'ftp://public.test/',
  'blob:http://public.test/x',
  'unix:/run/x.sock',
])('%s is no scheme that is asked', async (url) => {
  const { fetch, lookups } = guarded();
  expect(await refusalOf(fetch(new Request(url)))).toBe('INVALID_VALUE');
  expect(lookups).toEqual([]);
});

test('A proxy of the environment is not asked', async () => {
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : `http://127.0.0.1:${trap.port}`;
  const server = await listenHttp((_, response) => void response.end('here'));
  const fetch = createOutboundFetch({ allow: ['127.0.0.1'] });
  expect(await (await fetch(new Request(`http://127.0.0.1:${server.port}/`))).text()).toBe('here');
  for (const [index, name] of names.entries()) {
    const value = before[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  expect(trap.connections).toBe(0);
  await server.close();
});

test.each([
  [['127.0.0.1'], '127.0.0.1', true],
  [['127.0.0.1'], '[::ffff:127.0.0.1]', true],
  [['127.0.0.0/8'], '2130706433', true],
  [['::1'], '[::1]', true],
  [['::1'], '127.0.0.1', false],
  [['127.0.0.2'], '127.0.0.1', false],
  [['Inside.Test'], 'inside.test', true],
  [['inside.test'], 'inside.test.', true],
  [['inside.test.'], 'INSIDE.test', true],
  [['inside.test'], 'more.inside.test', false],
  [['inside.test'], 'notinside.test', false],
  [['inside.test'], '127.0.0.1', false],
  [['server1'], 'server1', true],
] as const)('With %j allowed, %s is reached: %s', async (allow, host, reached) => {
  const fetch = createOutboundFetch({ allow, resolve: async () => ['127.0.0.1'] });
  const before = trap.connections;
  const asked = fetch(new Request(`http://${host}:${trap.port}/`));
  if (reached) expect(await (await asked).text()).toBe('caught');
  else expect(await refusalOf(asked)).toBe('FORBIDDEN_ADDRESS');
  expect(trap.connections - before).toBe(reached ? 1 : 0);
});

test.each([
  '',
  ' ',
  'http://inside.test',
  'inside.test:80',
  '10.0.0.0/33',
  '127.1',
  '0x7f000001',
  '*.inside.test',
  '*',
  'a b',
  '[::1]',
  '::1%lo',
])('%j cannot be allowed: it would not mean what it says', (entry) => {
  expect(() => createOutboundFetch({ allow: [entry] })).toThrow(/outbound\.allow/);
});
