import { afterEach, expect, it } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { adminOpenapi } from '../../src/http/admin/openapi.ts';
import * as shapes from '../../src/http/admin/shapes.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openShop, type Shop } from './admin-stage.ts';

const app = loadApp([
  { path: 'cffbrw.yaml', text: 'cffbrw: 1\napp: shop\nvariables:\n  hits: { strategy: sum-increments }\n' },
  {
    path: 'workflows/nightly.yaml',
    text: 'cffbrw: 1\nworkflow: nightly\non: { cron: { schedule: "30 2 * * *", timezone: Europe/Berlin }, call: {} }\nsteps:\n  - reset: hits\n',
  },
  {
    path: 'workflows/look.yaml',
    text: 'cffbrw: 1\nworkflow: look\non: { http: { method: GET, path: "/hits/{day}" } }\nsteps:\n  - respond: { body: "${ vars.hits }" }\n',
  },
]);

let shop: Shop | undefined;
afterEach(() => shop?.close());

it('the admin API tells what starts each workflow, and when its schedule is due next', async () => {
  // 29 March 2026, 02:30 in Berlin is skipped: it is due at 03:30 summer time.
  shop = await openShop({ app, host: { ...nodeHost, now: () => Date.UTC(2026, 2, 28, 12) } });
  const told = await shop.json<{ workflows: readonly { name: string }[] }>('/_cffbrw/v1/workflows');
  expect(shapes.workflows.strict().parse(told)).toEqual(told);
  expect(told.workflows).toMatchObject([
    {
      ...{ name: 'nightly', http: null, callable: true, reads: [], writes: [{ variable: 'hits', operation: 'reset' }] },
      cron: { schedule: '30 2 * * *', timezone: 'Europe/Berlin', nextMs: Date.UTC(2026, 2, 29, 1, 30) },
    },
    { name: 'look', http: { method: 'GET', path: '/hits/{day}' }, cron: null, callable: false, reads: ['hits'], writes: [] },
  ]);
});

it('and its OpenAPI document describes the schedule', () => {
  const document = JSON.stringify(adminOpenapi());
  expect(document).toContain('When it is due next');
  expect(document).toContain('"cron"');
});
