/** The Worker of the wheel as wrangler would upload it. */
import { expect, test } from 'vitest';
import { inTemporary } from '../e2e/process.ts';
import { makeWheel, wrangler } from './project.ts';

test('wrangler deploy --dry-run takes the wheel, builds it first, and says how large it is', () =>
  inTemporary(async (home) => {
    await makeWheel(home);
    const { code, output } = await wrangler(home, ['deploy', '--dry-run', '--outdir', 'out']);
    expect([code, output]).toEqual([0, expect.stringContaining('app.js: wheel, 1 workflow')]);
    const size = Number(/gzip: ([\d.]+) KiB/.exec(output)?.[1]);
    console.log(`wrangler: ${size} KiB gzip, ${((size * 1024) / 1000).toFixed(1)} kB`);
    expect(size * 1024).toBeLessThanOrEqual(100_000);
    for (const binding of ['env.REGION (Region)', 'env.HUB (Hub)', 'env.ASSETS']) expect(output).toContain(binding);
  }));
