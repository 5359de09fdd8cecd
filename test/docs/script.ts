/** Runs a page's TypeScript as a user's program: in a directory of its own, against the built package. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { root } from './page.ts';

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** `imports` stand first, whichever block they come from. */
export async function runScript(source: string, files: readonly { path: string; text: string }[] = []): Promise<Ran> {
  const home = mkdtempSync(join(tmpdir(), 'cffbrw-docs-'));
  try {
    mkdirSync(join(home, 'node_modules'));
    symlinkSync(root, join(home, 'node_modules', 'cffbrw'));
    for (const { path, text } of files) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node20' });
    writeFileSync(join(home, 'page.mjs'), code);
    return await run(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function run(home: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['page.mjs'],
      { cwd: home, timeout: 20_000, env: { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: join(home, 'state') } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
}

/** What the comments `// → …` promise, in order. */
export const promisedIn = (source: string): string[] => [...source.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1] ?? '');
