import { defineConfig } from 'vitest/config';

/** Two at a time: by itself vitest leaves one core of two idle. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    testTimeout: 30_000,
    retry: 0,
    maxWorkers: 2,
    reporters: ['default'],
  },
});
