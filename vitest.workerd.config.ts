import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

/** Nothing is asked of the world outside. */
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CI: '1',
});

/** What runs inside workerd. */
export default defineConfig({
  plugins: [cloudflareTest({ wrangler: { configPath: './test/cloudflare/wrangler.jsonc' }, miniflare: { cf: false } })],
  test: { include: ['test/cloudflare/**/*.workerd.ts'], testTimeout: 30_000, retry: 0 },
});
