/** The examples' pages in a real browser. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, noBrowser } from '../browser/browser.ts';
import { inTemporary, type RunningApp, startApp } from '../e2e/process.ts';
import { directoryOf } from './stage.ts';

process.env.ADMIN_TOKEN = 'dev-admin';
const shots = process.env.CFFBRW_SHOTS;

describe.skipIf(noBrowser !== null)(`the pages${noBrowser === null ? '' : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  const onPage = (name: string, use: (page: Page, app: RunningApp) => Promise<void>) =>
    inTemporary(async (home) => {
      const app = await startApp(['start', directoryOf(name), '--data', join(home, 'data')], home);
      const context = await browser.newContext({ viewport: { width: 360, height: 700 } });
      const page = await context.newPage();
      const broken: string[] = [];
      page.on('pageerror', (error) => broken.push(error.message));
      try {
        await page.goto(app.url);
        await use(page, app);
        await checkPage(page, name);
        expect(broken).toEqual([]);
      } finally {
        await context.close();
        await app.stop();
      }
    });

  /** Fits a phone, and axe finds nothing, in light and in dark. */
  async function checkPage(page: Page, name: string): Promise<void> {
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.addScriptTag({ content: await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8') });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; help: string }[] }> } };
        return (await axe.run()).violations.map(({ id, help }) => `${id}: ${help}`);
      });
      expect(violations, colorScheme).toEqual([]);
      if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}-${colorScheme}.png`), fullPage: true });
    }
  }

  const send = (app: RunningApp, method: string, path: string, body: unknown) =>
    fetch(`${app.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: 'Bearer dev-admin' },
      body: JSON.stringify(body),
    });

  test('the auction’s page bids by keyboard, and shows those of others as they come', () =>
    onPage('auction', async (page, app) => {
      const ends = new Date(Date.now() + 3_600_000).toISOString();
      await send(app, 'PUT', '/lots/vase', { title: 'A vase', reserve: 10, ends });
      await page.getByRole('heading', { name: 'A vase' }).waitFor();
      await page.getByLabel('Your name').fill('Ann');
      const field = page.getByLabel('Your bid for: A vase');
      await field.fill('12');
      await field.press('Enter');
      await page.getByText('Your bid of 12 counts.').waitFor();
      await page.getByText('12, Ann').waitFor();
      await send(app, 'POST', '/lots/vase/bids', { bidder: 'bob', amount: 20 });
      await page.getByText('20, bob').waitFor();
      expect(await field.getAttribute('min')).toBe('21');
      expect(await page.locator('.left').textContent()).toMatch(/^(59:\d\d|1 h 0 min)$/);
    }));

  test('the page of the flags adds and switches them with the token, and follows changes of others', () =>
    onPage('flags', async (page, app) => {
      await page.getByText('There are no flags yet.').waitFor();
      await page.getByLabel('New flag').fill('shop.menu');
      await page.getByRole('button', { name: 'Add' }).click();
      await page.getByText('That token may not change flags.').waitFor();
      await page.getByLabel('Token, to change flags').fill('dev-admin');
      await page.getByLabel('New flag').fill('shop.menu');
      await page.getByRole('button', { name: 'Add' }).click();
      const menu = page.getByRole('switch', { name: 'shop.menu is on' });
      await menu.waitFor();
      await menu.press('Space');
      await page.getByText('shop.menu is on for 100 %.').waitFor();
      await send(app, 'PUT', '/flags/shop.menu', { on: true, percent: 30 });
      await page.waitForFunction(() => document.querySelector<HTMLInputElement>('td input[type=number]')?.value === '30');
      expect(await (await fetch(`${app.url}/flags`)).json()).toEqual({
        flags: { 'shop.menu': { on: true, percent: 30 } },
        next: null,
      });
    }));
});
