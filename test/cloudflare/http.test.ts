/** The table of odd and hostile requests that every platform answers in the same way: here a Worker, a region and its workflows do. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cases } from '../http/cases.ts';
import { type Edge, openEdge } from './stage.ts';

const endpoint = (name: string, http: string, parts: readonly string[]): [string, string] => [
  `workflows/${name}.yaml`,
  `cffbrw: 1
workflow: ${name}
on: { http: ${http} }
steps:
  - respond: { body: { ${['params', 'query', 'headers', 'body'].map((part) => `${part}: ${parts.includes(part) ? `"\${ request.${part} }"` : 'null'}`).join(', ')} } }
`,
];

/** The endpoints of the table, as workflows. */
const documents = {
  'cffbrw.yaml': 'cffbrw: 1\napp: cases\n',
  ...Object.fromEntries([
    endpoint(
      'echo',
      `{ method: POST, path: /echo, idempotency: { header: Idempotency-Key, keep: 1h },
      body: { type: object, required: [user], properties: { user: { type: string, minLength: 1, maxLength: 64 } } } }`,
      ['body'],
    ),
    endpoint(
      'lot',
      `{ method: GET, path: "/lots/{lot}", params: { type: object, properties: { lot: { type: integer } } },
      query: { type: object, properties: { n: { type: integer, minimum: 1, default: 10 }, on: { type: boolean }, price: { type: number },
      tag: { type: array, items: { type: string }, maxItems: 3 } } } }`,
      ['params', 'query'],
    ),
    endpoint('text', '{ method: POST, path: /text, body: { type: string, maxLength: 10 } }', ['body']),
    endpoint('name', '{ method: GET, path: "/names/{name}" }', ['params', 'headers']),
  ]),
};

let edge: Edge;
beforeAll(async () => {
  edge = await openEdge({ app: documents });
});
afterAll(() => edge.close());

/** The platform's own parser knows no methods of anybody's own, and leaves out headers without a value. */
const known = cases.filter(
  ({ method, title }) => !['BREW', 'constructor'].includes(method) && title !== 'an idempotency key that is empty',
);

test.each(known)('$title gets $status', async ({ method, path, headers, body, status, code, answer }) => {
  const response = await edge.miniflare.dispatchFetch(`http://localhost${path}`, {
    method,
    ...(headers !== undefined && { headers: { ...headers } }),
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  expect(response.status).toBe(status);
  if (code !== undefined && method !== 'HEAD') expect(JSON.parse(text)).toMatchObject({ code });
  if (answer !== undefined) expect(JSON.parse(text)).toMatchObject(answer as object);
});
