import { defineConfig } from 'vitest/config';

/** Folders whose tests start no process, open no port and leave nothing behind: their files share one copy of the modules. */
const pure = ['backbone', 'check', 'define', 'expression', 'http', 'replica', 'simulate', 'store', 'strategy', 'workflow'];
const inPure = pure.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    testTimeout: 30_000,
    retry: 0,
    reporters: ['default'],
    // By itself vitest leaves one core of two idle.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'pure', include: inPure, isolate: false } },
      { extends: true, test: { name: 'real', include: ['test/**/*.test.ts', 'examples/**/*.test.ts'], exclude: inPure } },
    ],
  },
});
