/** What the Worker answers without asking an object. Its files are Cloudflare's, of whose answers only the form matters here. */
import { expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { Env } from '../../src/cloudflare/bindings.ts';
import { createWorker } from '../../src/cloudflare/worker.ts';

const app = createApp([
  { cffbrw: 1, app: 'files', variables: {} },
  { cffbrw: 1, workflow: 'go', on: { http: { method: 'POST', path: '/go' } }, steps: [{ respond: { body: 'gone' } }] },
]);
const files = new Map([
  ['/page', { status: 200, type: 'text/html' }],
  ['/lost', { status: 404, type: 'text/html' }],
]);
const env = {
  ASSETS: {
    async fetch({ url }: Request) {
      const { status, type } = files.get(new URL(url).pathname) ?? { status: 404, type: null };
      return new Response(type === null ? null : '<p>', { status, headers: type === null ? {} : { 'content-type': type } });
    },
  },
} as unknown as Env;
const ask = async (path: string, method = 'GET') => {
  const response = await createWorker(app).fetch(new Request(`http://localhost${path}`, { method }), env);
  return [response.status, response.headers.get('content-type')];
};

test('a file is answered as it is, and so is the page for what is not there', async () => {
  expect(await ask('/page')).toEqual([200, 'text/html']);
  expect(await ask('/lost')).toEqual([404, 'text/html']);
});

test('where there is neither file nor page nor workflow, the refusal says so', async () => {
  expect(await ask('/nothing')).toEqual([404, 'application/problem+json']);
  expect(await ask('/nothing', 'POST')).toEqual([404, 'application/problem+json']);
  expect(await ask('/page', 'POST')).toEqual([404, 'application/problem+json']);
  expect(await ask('/go')).toEqual([405, 'application/problem+json']);
});
