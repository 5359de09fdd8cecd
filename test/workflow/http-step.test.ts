/** The verb `http`: what it sends, what it takes, and how it fails. */
import { describe, expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { isProblem, type RunProblem, type RunResult } from '../../src/workflow/index.ts';
import { createHttpStage, type HttpStage, httpApp, json, type Script, secret } from './http-stage.ts';
import { type RequestOptions, refusal } from './stage.ts';

interface Asked {
  readonly result: RunResult;
  readonly stage: HttpStage;
}

/** One workflow, asked once on a fresh machine. */
async function once(steps: string, script: Script, options: RequestOptions = {}): Promise<Asked> {
  const stage = await createHttpStage(httpApp(steps), script);
  return { result: await stage.ask('w', options), stage };
}

async function problem(steps: string, script: Script, options: RequestOptions = {}): Promise<RunProblem> {
  const { result } = await once(steps, script, options);
  if (!isProblem(result)) throw new Error(`it was answered: ${JSON.stringify(result)}`);
  return result;
}

const ok: Script = () => json({ fine: true });
const never: Script = () => new Promise(() => {});
const respond = '\n- respond: { body: "${ answer }" }';

describe('what is sent', () => {
  test('Every field may be a template', async () => {
    const steps = `
- http: https://api.test/users/\${ request.body.id }?n=\${ 1 + 1 }
  method: \${ request.body.method }
  headers: { x-id: "\${ request.body.id }", x-list: "\${ [1, 2] }", X-Absent: "\${ null }", Authorization: "Bearer \${ secrets.TOKEN }" }
  body: { user: "\${ request.body.id }", key: "\${ secrets.TOKEN }" }
  timeout: \${ request.body.wait }
  accept: ["\${ 200 }", 4xx]`;
    const { stage } = await once(steps, ok, { body: { id: 7, method: 'PUT', wait: '3s' } });
    expect(stage.requests).toMatchObject([
      {
        method: 'PUT',
        url: 'https://api.test/users/7?n=2',
        headers: { 'x-id': '7', 'x-list': '[1,2]', authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ user: 7, key: secret }),
      },
    ]);
    expect(stage.requests[0]?.headers).not.toHaveProperty('x-absent');
  });

  test('Without a method it is GET, and has no body', async () => {
    const { stage } = await once('- http: https://api.test/', ok);
    expect(stage.requests).toMatchObject([{ method: 'GET', headers: {}, body: '' }]);
  });

  test.each([
    ['body: { a: [1] }', '{"a":[1]}', 'application/json'],
    ['body: text', '"text"', 'application/json'],
    ['body: null', 'null', 'application/json'],
    ['body: text\n  headers: { content-type: text/plain }', 'text', 'text/plain'],
    ['body: { a: 1 }\n  headers: { Content-Type: application/vnd.api+json }', '{"a":1}', 'application/vnd.api+json'],
    [
      'body: "a=${ 1 }"\n  headers: { content-type: application/x-www-form-urlencoded }',
      'a=1',
      'application/x-www-form-urlencoded',
    ],
  ])('%s is sent as %s', async (field, body, type) => {
    const { stage } = await once(`- http: https://api.test/\n  method: POST\n  ${field}`, ok);
    expect([stage.requests[0]?.body, stage.requests[0]?.headers['content-type']]).toEqual([body, type]);
  });

  test.each([
    ['file:///etc/passwd', 'only http and https addresses can be asked'],
    ['data:text/plain,x', 'only http and https addresses can be asked'],
    ['//api.test/', 'this is no address of at most 8,192 characters'],
    ['https://', 'this is no address of at most 8,192 characters'],
    ['https://user@api.test/', 'the address holds a user or a password'],
    ['https://user:word@api.test/', 'the address holds a user or a password'],
    ['https://public.test:443@127.0.0.1/', 'the address holds a user or a password'],
    ['https://:word@api.test/', 'the address holds a user or a password'],
    [`https://api.test/${'x'.repeat(8_192)}`, 'this is no address of at most 8,192 characters'],
    [7, 'this is no address of at most 8,192 characters'],
    [null, 'this is no address of at most 8,192 characters'],
  ])('The address %j is refused', async (url, message) => {
    const { result, stage } = await once('- http: ${ request.body }', ok, { body: url });
    expect(isProblem(result) && [result.code, result.detail]).toEqual(['INVALID_VALUE', message]);
    expect(stage.requests).toEqual([]);
  });

  test.each([
    ...['x\r\nx-evil: 1', 'x\nx', 'x\rx', 'x\0x', '\u2028', 'caf\u0301e', '\u{1F600}'].map((value) => ['x-a', value]),
    ...['x a', 'x:a', '', 'x\r\na', 'é', 'x\0', ' x'].map((name) => [name, '1']),
    ...['host', 'Host', 'content-length', 'Transfer-Encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade'].map(
      (name) => [name, '1'],
    ),
    ...['expect', 'proxy-authorization', 'proxy-connection'].map((name) => [name, '1']),
  ])('The header %j: %j is refused, and not repeated', async (name, value) => {
    const steps = `- http: https://api.test/\n  headers: { ${JSON.stringify(name)}: "\${ request.body }" }`;
    const { result, stage } = await once(steps, ok, { body: value ?? '' });
    expect(isProblem(result) && result.code).toBe('INVALID_VALUE');
    if (value !== '1') expect(JSON.stringify(result)).not.toContain(JSON.stringify(value).slice(1, -1));
    expect(stage.requests).toEqual([]);
  });

  test.each(['CONNECT', 'TRACE', 'get', 'GET\r\nx: 1', '', null])('The method %j is refused', async (method) => {
    const { result, stage } = await once('- http: https://api.test/\n  method: ${ request.body }', ok, { body: method });
    expect(isProblem(result) && result.code).toBe('INVALID_VALUE');
    expect(stage.requests).toEqual([]);
  });
});

describe('what is refused before it runs', () => {
  test.each([
    ['- http: api.test', '`http`: this is no address'],
    ['- http: ftp://api.test', '`http`: only http and https'],
    ['- http: https://a:b@api.test', '`http`: the address holds a user or a password'],
    ['- http: https://api.test\n  method: TRACE', '`method`: this is no method of a request'],
    ['- http: https://api.test\n  body: 1', 'A GET request has no body'],
    ['- http: https://api.test\n  accept: [2xx, ok]', '`accept`: what is accepted is neither'],
    ['- http: https://api.test\n  accept: 600', '`accept`: what is accepted is neither'],
    ['- http: https://api.test\n  timeout: 6m', '`6m` is too long'],
    ['- http: https://api.test\n  timeout: soon', '`soon` is no duration'],
    ['- http: https://api.test\n  redirect: follow', 'has no field `redirect`'],
    ['- http: https://api.test\n  as: a\n- respond: { body: "${ a.boby }" }', '`boby`'],
    ['- http: https://api.test\n  timeout: ${ secrets.TOKEN }', 'a secret may not be used here'],
    ['- http: https://api.test\n  method: ${ secrets.TOKEN }', 'a secret may not be used here'],
    ['- http: https://api.test\n  accept: ${ secrets.TOKEN }', 'a secret may not be used here'],
    ['- let: { x: "${ secrets.TOKEN }" }', 'a secret may not be used here'],
    ['- http: https://api.test/${ secrets.OTHER }', 'there is no secret `OTHER`'],
  ])('%s', (steps, message) => {
    expect(refusal(() => httpApp(steps))).toContain(message);
  });
});

describe('what is answered', () => {
  const answered = async (response: () => Response, accept = '[2xx, 3xx, 4xx]'): Promise<RunResult> =>
    (await once(`- http: https://api.test/\n  accept: ${accept}\n  as: answer${respond}`, response)).result;

  test('Status, headers and body are a value', async () => {
    const headers = { 'Content-Type': 'application/json', 'X-Left': '3' };
    expect(await answered(() => new Response('{"a":[1,null]}', { status: 201, headers }))).toMatchObject({
      body: { status: 201, headers: { 'content-type': 'application/json', 'x-left': '3' }, body: { a: [1, null] } },
    });
  });

  test.each([
    ['application/json', '[1]', [1]],
    ['application/json; charset=utf-8', '"é"', 'é'],
    ['application/problem+json', '{"a":1}', { a: 1 }],
    ['APPLICATION/JSON', ' 1 ', 1],
    ['text/json', 'null', null],
    ['application/json', '', null],
    ['text/plain', '{"a":1}', '{"a":1}'],
    ['text/html', '<p>', '<p>'],
    ['application/jsonp', '1', '1'],
    ['text/plain; charset=nonsense', 'x', 'x'],
    ['', '1', '1'],
  ])('As %j, %j is %j', async (type, body, value) => {
    const response = () => new Response(new TextEncoder().encode(body), { headers: type === '' ? {} : { 'content-type': type } });
    expect(await answered(response)).toMatchObject({ body: { body: value } });
  });

  test('Text is decoded by the charset that it names, and what is no text by replacement', async () => {
    const bytes = new Uint8Array([0x63, 0x61, 0x66, 0xe9]);
    const typed = (type: string) => () => new Response(bytes, { headers: { 'content-type': type } });
    expect(await answered(typed('text/plain; charset="iso-8859-1"'))).toMatchObject({ body: { body: 'café' } });
    expect(await answered(typed('text/plain'))).toMatchObject({ body: { body: 'caf\uFFFD' } });
  });

  test('Of several headers of one name there is one text, and none reaches a prototype', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    const result = await answered(() => new Response('', { headers }));
    expect(result).toMatchObject({ body: { headers: { 'set-cookie': 'a=1, b=2' } } });
    expect(JSON.stringify(result)).not.toMatch(/__proto__|constructor/);
  });

  test.each([
    ['no JSON', '{'],
    ['two values', '1 2'],
    ['nested too deep', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['nested very deep', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
    ['an infinite number', '1e400'],
    ['a key of prototypes', '{"a":{"__proto__":{"x":1}}}'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('JSON with %s fails the step', async (_, body) => {
    const result = await answered(() => new Response(body, { headers: { 'content-type': 'application/json' } }));
    expect(isProblem(result) && [result.code, result.status, result.step]).toEqual(['HTTP_FAILED', 502, 'steps[0]']);
    expect(isProblem(result) && result.detail).toMatch(/^the answer says that it is JSON/);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('64 levels are taken', async () => {
    const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
    const script = () => new Response(deep, { headers: { 'content-type': 'application/json' } });
    expect((await once('- http: https://api.test/\n  as: answer', script)).result.status).toBe(204);
  });

  test('10 MB are taken, one byte more is not, and no more is read', async () => {
    let pulled = 0;
    const stream = (bytes: number) => {
      let left = bytes;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = new Uint8Array(Math.min(left, 65_536)).fill(97);
          left -= chunk.byteLength;
          pulled += chunk.byteLength;
          if (chunk.byteLength === 0) controller.close();
          else controller.enqueue(chunk);
        },
      });
    };
    const steps = '- http: https://api.test/\n  as: answer\n- respond: { body: "${ len(answer.body) }" }';
    expect((await once(steps, () => new Response(stream(10_485_760)))).result).toMatchObject({ body: 10_485_760 });
    expect((await problem(steps, () => new Response(stream(10_485_761)))).detail).toBe('the answer is larger than 10 MB');
    pulled = 0;
    await problem(steps, () => new Response(stream(1e12)));
    expect(pulled).toBeLessThan(11_000_000);
  });
});

describe('accepting', () => {
  test.each([
    [undefined, [200, 201, 204, 299], [301, 304, 400, 404, 500]],
    ['2xx', [200], [302]],
    ['404', [404], [200, 405]],
    ['[200, 4xx, "302"]', [200, 302, 404, 499], [201, 301, 500]],
    ['"${ [200, 500] }"', [200, 500], [201]],
  ])('With `accept: %s` %j are taken and %j are not', async (accept, taken, refused) => {
    const steps = `- http: https://api.test/${accept === undefined ? '' : `\n  accept: ${accept}`}\n- respond: { body: 1 }`;
    const answer =
      (status: number): Script =>
      () =>
        new Response(status === 204 || status === 304 ? null : 'x', { status });
    for (const status of taken) expect((await once(steps, answer(status))).result).toMatchObject({ status: 200, body: 1 });
    for (const status of refused) {
      expect(await problem(steps, answer(status))).toMatchObject({
        ...{ code: 'HTTP_FAILED', status: 502, retry: 'same-key', step: 'steps[0]' },
        detail: `the other server answered ${status}, which this step does not accept`,
      });
    }
  });

  test('A redirect is an answer, and is not followed', async () => {
    const moved: Script = () => new Response(null, { status: 307, headers: { location: 'https://other.test/' } });
    const { result, stage } = await once(
      `- http: https://api.test/\n  accept: 3xx\n  headers: { authorization: "\${ secrets.TOKEN }" }\n  as: answer\n- respond: { body: "\${ answer.headers.location }" }`,
      moved,
    );
    expect(result).toMatchObject({ body: 'https://other.test/' });
    expect(stage.requests.map(({ url }) => url)).toEqual(['https://api.test/']);
  });

  test('A caught failure has the status and the body that were answered', async () => {
    const steps = `
- try:
    - http: https://api.test/
      id: asking
  catch:
    as: e
    do: [{ respond: { body: "\${ e }" } }]`;
    expect((await once(steps, () => json({ why: 'sold out' }, 409))).result).toMatchObject({
      body: {
        ...{ code: 'HTTP_FAILED', status: 409, body: { why: 'sold out' }, step: 'steps[0].try[0]' },
        message: 'the other server answered 409, which this step does not accept',
      },
    });
  });
});

describe('trying again', () => {
  const statuses =
    (...list: readonly number[]): Script =>
    (_, index) =>
      json({}, list[index] ?? 200);
  const trying = (fields: string) =>
    `- try:\n    - http: https://api.test/\n      as: answer\n  retry: { attempts: 3${fields} }\n- respond: { body: "\${ answer.status }" }`;

  test.each([
    ['', [500, 503], 3],
    ['', [429, 408], 3],
    ['', [404], 1],
    ['', [302], 1],
    [', on: [404]', [404, 404], 3],
    [', on: [5xx]', [502, 504], 3],
    [', on: [5xx]', [404], 1],
    [', on: [502]', [500], 1],
    [', on: [HTTP_FAILED]', [404, 500], 3],
  ])('With `retry: { attempts: 3%s }`, after %j it is asked %i times', async (fields, list, times) => {
    const { stage, result } = await once(trying(fields), statuses(...list));
    expect([stage.requests.length, result.status]).toEqual([times, times === 3 ? 200 : 502]);
  });

  test('What never answered and what cannot be reached is tried again, what is forbidden is not', async () => {
    const failing =
      (code: 'UNREACHABLE' | 'FORBIDDEN_ADDRESS'): Script =>
      () => {
        throw new CffbrwError(code, 'no');
      };
    expect((await once(trying(''), failing('UNREACHABLE'))).stage.requests.length).toBe(3);
    expect((await once(trying(''), never)).stage.requests.length).toBe(3);
    expect((await once(trying(''), failing('FORBIDDEN_ADDRESS'))).stage.requests.length).toBe(1);
  });
});

describe('time', () => {
  test.each([
    ['', 10_000],
    ['\n  timeout: 250ms', 250],
    ['\n  timeout: ${ 40 }', 40],
  ])('Without an answer the step fails in time%s', async (field, timeoutMs) => {
    const { result, stage } = await once(`- http: https://api.test/${field}`, never);
    expect(result).toMatchObject({ code: 'TIMEOUT', status: 504, step: 'steps[0]' });
    expect(stage.world.elapsedMs).toBeGreaterThanOrEqual(timeoutMs);
    expect(stage.world.elapsedMs).toBeLessThan(timeoutMs + 30);
    expect(stage.requests[0]?.signal.aborted).toBe(true);
  });

  test('The time counts until the body is there', async () => {
    const dripping: Script = () =>
      new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([97])) }));
    const { result, stage } = await once('- http: https://api.test/', dripping);
    expect(result).toMatchObject({ code: 'TIMEOUT' });
    expect(stage.requests[0]?.signal.aborted).toBe(true);
  });

  test('An answer leaves no timer behind', async () => {
    const { stage } = await once('- http: https://api.test/\n  timeout: 5m', ok);
    await stage.world.run(1_000);
    expect(stage.requests[0]?.signal.aborted).toBe(false);
    expect(stage.world.idle).toBe(true);
  });

  test.each(['0', '-1', '300001', "'x'", 'null', '1.5'])('A timeout of %s is refused', async (timeout) => {
    expect((await problem(`- http: https://api.test/\n  timeout: "\${ ${timeout} }"`, ok)).code).toBe('INVALID_VALUE');
  });

  test('Branches ask at the same time', async () => {
    const steps = `
- parallel:
    a: [{ http: https://a.test/, as: x }, { return: "\${ x.body }" }]
    b: [{ http: https://b.test/, as: x }, { return: "\${ x.body }" }]
  as: both
- respond: { body: "\${ both }" }`;
    const open: ((response: Response) => void)[] = [];
    const both: Script = ({ url }) =>
      new Promise((resolve) => {
        open.push(() => resolve(new Response(url)));
        if (open.length === 2) for (const answer of open) answer(new Response());
      });
    expect((await once(steps, both)).result).toMatchObject({ body: { a: 'https://a.test/', b: 'https://b.test/' } });
  });
});

describe('secrets stay inside', () => {
  const steps = `
- http: https://\${ secrets.TOKEN }.test/\${ secrets.TOKEN }?key=\${ secrets.TOKEN }
  method: POST
  headers: { authorization: "Bearer \${ secrets.TOKEN }" }
  body: { key: "\${ secrets.TOKEN }" }`;
  const caught = `- try:\n${steps
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join(
      '\n',
    )}\n  catch: { as: e, do: [{ log: { level: warn, message: failed, data: "\${ e }" } }, { respond: { body: "\${ e }" } }] }`;

  test.each<[string, Script, string]>([
    ['an answer that is not accepted', () => json({}, 500), 'HTTP_FAILED'],
    ['an answer that is too large', () => new Response('x'.repeat(10_485_761)), 'HTTP_FAILED'],
    ['an answer that is no JSON', () => new Response('{', { headers: { 'content-type': 'application/json' } }), 'HTTP_FAILED'],
    ['no answer', never, 'TIMEOUT'],
    [
      'a refusal of the platform that tells all',
      ({ url }) => {
        throw new CffbrwError('UNREACHABLE', `no way to ${url}`, { fix: url, cause: new Error(url) });
      },
      'UNREACHABLE',
    ],
    [
      'a forbidden address',
      ({ url }) => {
        throw new CffbrwError('FORBIDDEN_ADDRESS', `not to ${url}`, { fix: url });
      },
      'FORBIDDEN_ADDRESS',
    ],
    [
      'an error that tells all',
      ({ url }) => {
        throw new TypeError(`fetch failed: ${url}`, { cause: Object.assign(new Error(url), { code: url }) });
      },
      'HTTP_FAILED',
    ],
    [
      'a body that breaks off',
      ({ url }) => new Response(new ReadableStream({ pull: () => Promise.reject(new Error(url)) })),
      'HTTP_FAILED',
    ],
  ])('after %s', async (_, script, code) => {
    for (const document of [steps, caught]) {
      for (const key of [undefined, 'a']) {
        const { result, stage } = await once(document, script, key === undefined ? {} : { key });
        expect(stage.requests.length).toBe(1);
        expect(JSON.stringify(stage.requests)).toContain(secret);
        expect(JSON.stringify(result)).toContain(code);
        expect(JSON.stringify([result, stage.logs])).not.toContain(secret);
      }
    }
  });

  test.each([
    ['url', `- http: "\${ secrets.TOKEN }"`],
    ['header', `- http: https://api.test/\n  headers: { x: "\${ secrets.TOKEN }" }`],
  ])('when it makes a %s that cannot be', async (_, document) => {
    const context = { secrets: new Map([['TOKEN', `${secret}\r\nx: 1`]]) };
    const stage = await createHttpStage(httpApp(document), ok, { context });
    const result = await stage.ask('w');
    expect(isProblem(result) && result.code).toBe('INVALID_VALUE');
    expect(JSON.stringify([result, stage.logs])).not.toContain(secret);
  });

  test('The code of a failure is told, and nothing else of it', async () => {
    const reset: Script = () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('https://x'), { code: 'ECONNRESET' }) });
    };
    expect((await problem(steps, reset)).detail).toBe('no whole answer could be read (ECONNRESET)');
  });
});
