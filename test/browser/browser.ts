/** A real browser: Debian's Chromium. Where there is none the test is skipped by name and reason, never in CI. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const found = places.find((path) => path !== undefined && existsSync(path));

/** null: there is a browser; else why the tests that need one are skipped. */
export const noBrowser: string | null =
  found === undefined ? 'no Chromium here: apt-get install chromium, or set CHROMIUM to its path' : null;

if (noBrowser !== null && process.env.CI === 'true') throw new Error(`In CI nothing is skipped: ${noBrowser}`);

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: found ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
