/** The wheel's page in a browser, in front of `wrangler dev`: Cloudflare's own runtime on this machine. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, noBrowser } from '../browser/browser.ts';
import { inTemporary } from '../e2e/process.ts';
import { makeWheel, wranglerDev } from './project.ts';

describe.skipIf(noBrowser !== null)(`the wheel at the edge${noBrowser === null ? '' : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  test('spins in the browser until it wins, and the numbers follow live', () =>
    inTemporary(async (home) => {
      await makeWheel(home);
      const dev = await wranglerDev(home);
      const context = await browser.newContext({ reducedMotion: 'reduce' });
      const page = await context.newPage();
      const broken: string[] = [];
      page.on('pageerror', (error) => broken.push(error.message));
      page.on('response', (response) => response.status() >= 400 && broken.push(`${response.status()} ${response.url()}`));
      try {
        await page.goto(dev.url);
        await page.waitForFunction(() => document.querySelector('#left')?.textContent === '10');
        await page.getByLabel('Your name').fill('Ann');
        let spins = 0;
        for (let won = false; !won && spins < 60; spins += 1) {
          await page.getByRole('button', { name: 'Spin' }).click();
          await page.waitForFunction(() => /won|lost|failed/.test(document.querySelector('#result')?.className ?? ''));
          won = (await page.locator('#result.won').count()) === 1;
        }
        expect(await page.locator('#result code').textContent()).toMatch(/^W-[0-9a-f]{8}$/i);
        await page.waitForFunction(() => document.querySelector('#left')?.textContent === '9');
        // Somebody else's spin arrives without a reload.
        const headers = { 'content-type': 'application/json' };
        const other = await fetch(`${dev.url}/wheel/spin`, { method: 'POST', headers, body: '{"user":"bob"}' });
        expect(other.status).toBe(200);
        await page.waitForFunction((count) => document.querySelector('#spins')?.textContent === String(count + 1), spins);
        expect(broken).toEqual([]);
      } finally {
        await context.close();
        await dev.stop();
      }
    }));
});
