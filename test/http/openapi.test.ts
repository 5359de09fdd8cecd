import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { createApp, loadApp } from '../../src/app.ts';
import { adminOpenapi } from '../../src/http/admin/openapi.ts';
import { operations } from '../../src/http/admin/operations.ts';
import * as shapes from '../../src/http/admin/shapes.ts';
import { appOpenapi } from '../../src/http/openapi.ts';
import { readDocuments } from '../../src/node/directory.ts';
import type { JsonObject } from '../../src/strategy/json.ts';
import { openShop, shop } from './admin-stage.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: JsonObject;
  }[];
  readonly requestBody?: { readonly content: JsonObject };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { schema: JsonObject }>> }>
  >;
  readonly security?: readonly object[];
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

async function valid(document: JsonObject): Promise<Paths> {
  const { valid: ok, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
  expect([ok, errors]).toEqual([true, undefined]);
  expect(document.openapi).toBe('3.1.0');
  return document.paths as unknown as Paths;
}

/** The references that lead nowhere. Not every tool knows `$id`, so all of them are taken from the root. */
function dangling(part: unknown, root: JsonObject): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const { $ref } = part as JsonObject;
  const inside = Object.values(part).flatMap((inner) => dangling(inner, root));
  if (typeof $ref !== 'string') return inside;
  let at: unknown = root;
  for (const name of $ref.split('/').slice(1)) at = (at as JsonObject | undefined)?.[name];
  return at === undefined ? [$ref, ...inside] : inside;
}

describe('an app’s routes', () => {
  const document = appOpenapi(shop());

  it('are a valid document, in which every reference leads somewhere', async () => {
    await valid(document);
    expect(dangling(document, document)).toEqual([]);
  });

  it('have their parameters, bodies, answers and who may ask', async () => {
    const { post } = (await valid(document))['/lots/{lot}/buy'] ?? {};
    expect(post?.parameters?.map(({ name, in: place, required }) => [name, place, required])).toEqual([
      ['lot', 'path', true],
      ['quick', 'query', false],
      ['idempotency-key', 'header', false],
    ]);
    expect(post?.parameters?.[0]?.schema).toEqual({ type: 'integer' });
    expect(Object.keys(post?.responses ?? {})).toEqual(['201', '400', '401', '409', '410', '422', 'default']);
    expect(post?.responses['409']?.description).toBe('The shop is closed');
    expect(post?.responses['201']?.content?.['application/json']?.schema).toMatchObject({
      properties: { ok: { type: 'boolean' }, left: {}, user: { type: 'string' } },
    });
    expect(post?.security).toEqual([{ SHOP_KEY: [] }]);
    expect(JSON.stringify(document)).not.toContain('a-key-of-the-shop');
  });

  it('have one name for a path parameter that workflows call differently', async () => {
    const at = (await valid(document))['/lots/{lot}/buy'];
    expect(at?.get?.operationId).toBe('look');
    expect(at?.get?.parameters?.map(({ name }) => name)).toEqual(['lot']);
  });

  it('answer what the document says', async () => {
    const open = await openShop();
    const { responses } = ((await valid(document))['/lots/{lot}/buy']?.post ?? {}) as Operation;
    const { status, headers } = await open.buy('ann');
    expect(Object.keys(responses[String(status)]?.content ?? {})).toEqual([headers.get('content-type')]);
    await open.replica.variable('banner').set('closed');
    expect(responses[String((await open.buy('ann')).status)]?.description).toBe('The shop is closed');
    await open.close();
  });

  const statuses = async (steps: readonly unknown[], others: readonly unknown[] = [], http: object = {}) => {
    const app = createApp([
      { cffbrw: 1, app: 'a', secrets: ['KEY', 'HOOK'], variables: { n: { strategy: 'sum-increments' } } },
      { cffbrw: 1, workflow: 'w', on: { http: { method: 'POST', path: '/w', ...http } }, steps },
      ...others,
    ]);
    return (await valid(appOpenapi(app)))['/w']?.post;
  };

  it.each([
    ['no answer', [{ add: 'n' }], ['204']],
    ['an answer under a condition', [{ respond: { body: 1 }, when: 'vars.n > 1' }], ['200', '204']],
    ['a status that is computed', [{ respond: { status: '${ 200 + vars.n }', body: 1 } }], []],
    ['what is returned', [{ return: { a: 1 } }], ['200']],
    ['what iterations return', [{ each: [1], item: 'one', do: [{ return: '${ one }' }] }, { respond: { status: 201 } }], ['201']],
    [
      'two answers that exclude each other',
      [
        {
          switch: [{ when: 'vars.n > 1', do: [{ respond: { status: 202 } }] }],
          default: [{ fail: { status: 403, type: 'x', title: 'No' } }],
        },
      ],
      ['202', '403'],
    ],
    [
      'answers inside steps',
      [
        { switch: [{ when: 'vars.n > 1', do: [{ respond: { status: 202 } }] }], default: [{ add: 'n' }] },
        { parallel: { a: [{ fail: { status: 403, type: 'x', title: 'No' } }], b: [{ add: 'n' }] } },
        { respond: { body: 1 } },
      ],
      ['200', '202', '403'],
    ],
    ['a body that looks like a step', [{ respond: { body: { respond: { status: 299 } } } }], ['200']],
  ])('say of %s what may come', async (_what, steps, expected) => {
    const found = Object.keys((await statuses(steps))?.responses ?? {}).filter((status) => !['422', 'default'].includes(status));
    expect(found).toEqual(expected);
  });

  it('say what a workflow that is called may fail with', async () => {
    const called = {
      cffbrw: 1,
      workflow: 'c',
      on: { call: {} },
      steps: [{ fail: { status: 418, type: 'x', title: 'Tea' }, when: 'vars.n > 3' }, { return: 1 }],
    };
    expect(Object.keys((await statuses([{ call: 'c' }, { respond: { body: 1 } }], [called]))?.responses ?? {})).toContain('418');
  });

  it('say that a token and a signature are both needed', async () => {
    const both = {
      auth: { bearer: 'KEY' },
      verify: { scheme: 'hmac-sha256', header: 'x-signature', secret: 'HOOK' },
      body: { type: 'string' },
    };
    const found = await statuses([{ respond: {} }], [], both);
    expect(found?.security).toEqual([{ KEY: [], HOOK: [] }]);
    expect(Object.keys(found?.requestBody?.content ?? {})).toEqual(['text/plain']);
  });

  it.each(['wheel', 'auction', 'flags', 'quota', 'shop', 'webhooks'])('of examples/%s are a valid document', async (name) => {
    const app = loadApp(await readDocuments(`examples/${name}`));
    const found = appOpenapi(app);
    await valid(found);
    expect(dangling(found, found)).toEqual([]);
  });
});

describe('the admin API’s own document', () => {
  const document = adminOpenapi();

  it('is valid, and every reference leads somewhere', async () => {
    await valid(document);
    expect(dangling(document, document)).toEqual([]);
  });

  it('has the routes of the router, no more and no fewer', async () => {
    const open = await openShop();
    const paths = await valid(document);
    const told = Object.entries(paths).flatMap(([path, at]) =>
      Object.keys(at).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routed = open.admin.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(told.sort()).toEqual(routed.sort());
    expect(told.length).toBe(Object.keys(operations).length);
    await open.close();
  });

  it('asks for the token everywhere but for health', async () => {
    expect(document.security).toEqual([{ token: [] }]);
    const open = Object.values(await valid(document)).flatMap((at) =>
      Object.values(at).filter(({ security }) => security !== undefined),
    );
    expect(open.map(({ operationId }) => operationId)).toEqual(['health']);
  });

  it('is what the answers look like', async () => {
    const open = await openShop();
    await open.buy('ann');
    const strictly = {
      variables: shapes.variables,
      replica: shapes.replica,
      conflicts: shapes.conflicts,
      runs: shapes.runs,
      workflows: shapes.workflows,
      errors: shapes.errors,
    };
    for (const [path, shape] of Object.entries(strictly)) {
      const answer = await open.json<Record<string, unknown>>(`/_cffbrw/v1/${path}`);
      expect(shape.strict().safeParse(answer).error?.message).toBeUndefined();
    }
    expect(await open.json('/_cffbrw/v1/openapi.json')).toEqual(document);
    expect(await open.json('/_cffbrw/openapi.json')).toEqual(appOpenapi(shop()));
    await open.close();
  });
});
