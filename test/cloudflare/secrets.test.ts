/** What a Worker says of a secret that nobody has set. */
import { expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { type Env, secretsOf } from '../../src/cloudflare/bindings.ts';
import { createHandler } from '../../src/http/handler.ts';
import { createCluster } from '../replica/cluster.ts';
import { createWorld } from '../simulate/world.ts';

const app = (http: string, body: string) =>
  loadApp([
    { path: 'cffbrw.yaml', text: 'cffbrw: 1\napp: secrets\nsecrets: [KEY]\n' },
    {
      path: 'w.yaml',
      text: `cffbrw: 1\nworkflow: w\non: { http: { method: POST, path: /w${http} } }\nsteps:\n  - respond: { body: ${body} }\n`,
    },
  ]);

const env = (more: object): Env => more as Env;
const named = 'npx wrangler secret put KEY';

test('which is needed before the first request: how wrangler sets it', async () => {
  const world = createWorld('secrets');
  const replica = await world.runUntil(createCluster({ world, variables: {} }).start('main'));
  const open = (given: object) =>
    createHandler({
      app: app(', auth: { bearer: KEY }', 'ok'),
      replica,
      host: world.host('main'),
      secrets: secretsOf(['KEY'], env(given)),
    });
  expect(() => open({})).toThrow(expect.objectContaining({ code: 'INVALID_APP', fix: expect.stringContaining(named) }));
  // A binding that is no text is none, nor is one that the app does not name.
  expect(() => open({ KEY: {} })).toThrow(expect.objectContaining({ fix: expect.stringContaining(named) }));
  open({ KEY: 'value' }).close();
  expect(secretsOf(['KEY'], env({ OTHER: 'value' })).get('OTHER')).toBeUndefined();
});

test('which a run misses: the same', async () => {
  const world = createWorld('secrets');
  const replica = await world.runUntil(createCluster({ world, variables: {} }).start('main'));
  const handler = createHandler({
    app: app('', '"${ hmac(secrets.KEY, \'text\') }"'),
    ...{ replica, host: world.host('main'), secrets: secretsOf(['KEY'], env({})) },
  });
  const answer = await world.runUntil(Promise.resolve(handler.fetch(new Request('http://localhost/w', { method: 'POST' }))));
  expect(answer.status).toBe(500);
  expect(await world.runUntil(answer.json())).toMatchObject({ code: 'RUN_FAILED', fix: expect.stringContaining(named) });
});
