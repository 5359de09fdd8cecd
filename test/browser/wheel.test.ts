import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTemporary, type RunningApp, startApp } from '../e2e/process.ts';
import { launch, noBrowser } from './browser.ts';

const wheel = join(import.meta.dirname, '../../examples/wheel');

describe.skipIf(noBrowser !== null)(`the wheel's page${noBrowser === null ? '' : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  /** A fresh wheel, and a page on it. */
  const onPage = (size: { width: number; height: number }, use: (page: Page, app: RunningApp) => Promise<void>) =>
    inTemporary(async (home) => {
      const app = await startApp(['start', wheel, '--data', join(home, 'data')], home);
      const context = await browser.newContext({ viewport: size, reducedMotion: 'reduce' });
      const page = await context.newPage();
      const broken: string[] = [];
      page.on('pageerror', (error) => broken.push(error.message));
      page.on('response', (response) => response.status() >= 400 && broken.push(`${response.status()} ${response.url()}`));
      try {
        await page.goto(app.url);
        await use(page, app);
        expect(broken).toEqual([]);
      } finally {
        await context.close();
        await app.stop();
      }
    });

  test('spins by keyboard until it wins, shows the code, and the numbers follow live', () =>
    onPage({ width: 1280, height: 900 }, async (page, app) => {
      await page.waitForFunction(() => document.querySelector('#left')?.textContent === '10');
      await page.getByLabel('Your name').focus();
      await page.keyboard.type('Ann');
      let spins = 0;
      for (let won = false; !won && spins < 60; spins += 1) {
        await page.keyboard.press('Tab');
        await page.getByRole('button', { name: 'Spin' }).focus();
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => /won|lost|failed/.test(document.querySelector('#result')?.className ?? ''));
        won = (await page.locator('#result.won').count()) === 1;
        expect(await page.evaluate(() => document.activeElement?.id)).toBe('result');
      }
      expect(await page.locator('#result code').textContent()).toMatch(/^W-[0-9a-f]{8}$/i);
      await page.waitForFunction((count) => document.querySelector('#spins')?.textContent === String(count), spins);
      await page.waitForFunction(() => document.querySelector('#left')?.textContent === '9');
      // Somebody else's spin arrives without a reload.
      await fetch(`${app.url}/wheel/spin`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"user":"bob"}',
      });
      await page.waitForFunction((count) => document.querySelector('#spins')?.textContent === String(count + 1), spins);
    }));

  test('fits a phone without scrolling sideways, with targets that a thumb can hit', () =>
    onPage({ width: 360, height: 640 }, async (page) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(360);
      for (const target of [page.getByLabel('Your name'), page.getByRole('button', { name: 'Spin' })]) {
        const box = await target.boundingBox();
        expect(box?.height ?? 0).toBeGreaterThanOrEqual(44);
        expect((box?.y ?? 9999) + (box?.height ?? 0)).toBeLessThanOrEqual(640);
      }
    }));

  test.each(['light', 'dark'] as const)('has nothing that axe finds wrong, in %s colours', (colorScheme) =>
    onPage({ width: 800, height: 900 }, async (page) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.waitForFunction(() => document.querySelector('#left')?.textContent === '10');
      await page.addScriptTag({ content: await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8') });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; help: string }[] }> } };
        return (await axe.run()).violations.map(({ id, help }) => `${id}: ${help}`);
      });
      expect(violations).toEqual([]);
    }));

  test('tells a screen reader the result, and says what to do when the server is gone', () =>
    onPage({ width: 800, height: 900 }, async (page, app) => {
      expect(await page.locator('#result').getAttribute('aria-live')).toBe('polite');
      await page.getByLabel('Your name').fill('Ann');
      await app.stop('SIGKILL');
      await page.getByRole('button', { name: 'Spin' }).click();
      await page.getByText('The server can’t be reached. Try again.').waitFor();
      expect(await page.getByRole('button', { name: 'Spin' }).isEnabled()).toBe(true);
    }));

  test('draws with the library’s own file, unchanged', async () => {
    const vendored = await readFile(join(wheel, 'public/vendor/spin-wheel.js'), 'utf8');
    const original = await readFile(join(import.meta.dirname, '../../node_modules/spin-wheel/dist/spin-wheel-esm.js'), 'utf8');
    expect(vendored).toBe(original);
  });
});
