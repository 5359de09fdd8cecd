/** The page of `cffbrw simulate --html`, in a real browser. */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportPage } from '../../src/simulate/report-html.ts';
import { inTemporary } from '../e2e/process.ts';
import { failing, passing } from '../simulate/reports.ts';
import { launch, noBrowser } from './browser.ts';

describe.skipIf(noBrowser !== null)(`the report of simulate${noBrowser === null ? '' : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  /** The page, opened from a file; nothing may be wrong with it, and nothing else may be asked for. */
  const onPage = (
    options: { readonly width: number; readonly colorScheme?: 'light' | 'dark' },
    use: (page: Page) => Promise<void>,
  ) =>
    inTemporary(async (home) => {
      const file = join(home, 'report.html');
      await writeFile(file, reportPage([passing, { ...failing, set: { ...failing.set, scenario: 'night' } }]));
      const { width, colorScheme = 'light' } = options;
      // Its own policy forbids scripts; axe is one.
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
      const page = await context.newPage();
      const wrong: string[] = [];
      page.on('pageerror', (error) => wrong.push(error.message));
      page.on('console', (message) => wrong.push(message.text()));
      page.on('request', (request) => request.url() !== pathToFileURL(file).href && wrong.push(request.url()));
      await page.goto(pathToFileURL(file).href);
      await use(page);
      expect(wrong).toEqual([]);
      await context.close();
    });

  test('shows the figures, the histogram, the run that broke and the steps that raced', () =>
    onPage({ width: 1200 }, async (page) => {
      expect(await page.locator('.verdict').allTextContents()).toEqual(['PASSED', 'FAILED']);
      expect(await page.getByRole('row', { name: 'naive (baseline) 4 3 12 13 16 16' }).count()).toBe(1);
      expect(await page.getByRole('img', { name: /^Histogram of winners/ }).count()).toBe(2);
      expect(await page.getByRole('img', { name: /^Timeline of the shortest run of night that breaks wheel/ }).count()).toBe(1);
      expect(await page.getByText('cffbrw simulate . day --seed 17', { exact: true }).isVisible()).toBe(true);
      expect(await page.locator('tr.raced').count()).toBe(4);
      // What is drawn is there to see: two bars have areas, and two circles mark the steps.
      for (const bar of await page.locator('svg rect').all()) expect((await bar.boundingBox())?.height ?? 0).toBeGreaterThan(3);
      expect(await page.locator('svg circle[r="11"]').count()).toBe(4);
    }));

  test.each(['light', 'dark'] as const)('has nothing that axe finds wrong, in %s colours', (colorScheme) =>
    onPage({ width: 1000, colorScheme }, async (page) => {
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(paper).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(22, 24, 28)');
      await page.addScriptTag({ content: await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8') });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      });
      expect(violations).toEqual([]);
    }));

  test('fits a phone: only what is wide scrolls sideways, also by keyboard', () =>
    onPage({ width: 360 }, async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      const wide = page.getByRole('region', { name: 'Histogram of day' }).first();
      await wide.focus();
      await page.keyboard.press('ArrowRight');
      await page.waitForFunction(() => (document.activeElement?.scrollLeft ?? 0) > 0);
    }));
});
