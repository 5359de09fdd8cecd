import { defineConfig } from 'vitest/config';

/** The longer suites: real processes killed for real, and the random tests with more runs. */
export default defineConfig({
  test: { include: ['test/**/*.long.ts'], testTimeout: 600_000, hookTimeout: 60_000, retry: 0, fileParallelism: false },
});
