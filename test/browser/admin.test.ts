/** The admin API as a browser meets it: the reference page, and a page of somebody else that tries to get in. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReferenceScript } from '../../src/node/reference.ts';
import { type Served, serve } from '../../src/node/serve.ts';
import { openShop, type Shop } from '../http/admin-stage.ts';
import { launch, noBrowser } from './browser.ts';

describe.skipIf(noBrowser !== null)(`in a browser${noBrowser === null ? '' : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser;
  let open: Shop;
  let served: Served;
  let evil: Served;
  const asked: string[] = [];
  const at = (path: string) => `http://127.0.0.1:${served.port}${path}`;

  beforeAll(async () => {
    browser = await launch();
    open = await openShop({ guard: { token: null, loopback: true }, referenceScript: readReferenceScript });
    served = await serve({
      port: 0,
      fetch: async (request) => {
        const response = await open.handler.fetch(request);
        asked.push(`${request.method} ${new URL(request.url).pathname} ${response.status}`);
        return response;
      },
    });
    evil = await serve({ port: 0, fetch: () => new Response('<p>come in</p>', { headers: { 'content-type': 'text/html' } }) });
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([served.close(), evil.close(), open.close()]);
  });

  it('the reference page shows the routes, breaks none of its own rules, and asks nobody else for anything', async () => {
    const page = await browser.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(at('/_cffbrw/reference'));
    await page.getByText('Buys some').first().waitFor({ state: 'attached', timeout: 10_000 });
    expect(requests).toEqual(['/_cffbrw/reference', '/_cffbrw/reference.js', '/_cffbrw/openapi.json'].map(at));
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('a page of another origin gets nothing, and changes nothing', async () => {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${evil.port}/`);
    asked.length = 0;
    const before = open.replica.status.commit;
    const got = await page.evaluate(async (base) => {
      const results: string[] = [];
      const set = `${base}/_cffbrw/v1/variables/banner/set`;
      const tries: [string, RequestInit][] = [
        [`${base}/_cffbrw/v1/runs`, {}],
        [`${base}/_cffbrw/v1/runs`, { mode: 'no-cors' }],
        [set, { method: 'POST', body: '{"value":"evil"}', mode: 'no-cors' }],
        [set, { method: 'POST', body: '{"value":"evil"}', headers: { 'content-type': 'application/json' } }],
      ];
      for (const [url, init] of tries)
        results.push(
          await fetch(url, init).then(
            (response) => response.text(),
            () => 'refused',
          ),
        );
      const load = (tag: 'script' | 'iframe', attribute: string) =>
        new Promise<void>((resolve) => {
          const element = document.createElement(tag);
          element.setAttribute(attribute, `${base}/_cffbrw/v1/runs`);
          element.onload = element.onerror = () => resolve();
          document.body.append(element);
        });
      await Promise.all([load('script', 'src'), load('iframe', 'src')]);
      return results;
    }, at(''));
    expect(got.filter((text) => text !== 'refused' && text !== '')).toEqual([]);
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((line) => !line.endsWith(' 403'))).toEqual([]);
    expect(open.replica.status.commit).toBe(before);
    await page.close();
  });
});
