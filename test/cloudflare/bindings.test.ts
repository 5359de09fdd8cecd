/** Our own types of the platform are what its types say: they are held to those in a program of their own, because Node's would collide. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

async function problemsOf(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cffbrw-bindings-'));
  try {
    await writeFile(join(directory, 'bindings.ts'), text);
    const options = {
      ...{ target: 'es2023', lib: ['es2023'], module: 'nodenext', moduleResolution: 'nodenext', strict: true, noEmit: true },
      ...{ exactOptionalPropertyTypes: true, allowImportingTsExtensions: true, skipLibCheck: true },
      typeRoots: [join(root, 'node_modules/@cloudflare')],
      types: ['workers-types'],
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['bindings.ts'] }));
    await promisify(execFile)(process.execPath, [compiler, '-p', directory]);
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  } finally {
    await rm(directory, { recursive: true });
  }
}

const use = (line: string): string => `
import type { Assets, Env, ObjectNamespace, ObjectState } from '${root}/src/cloudflare/bindings.ts';
${line}
`;

test('an object, a namespace and a Worker of the platform fit our bindings', async () => {
  const problems = await problemsOf(
    use(`
export const state = (given: DurableObjectState): ObjectState => given;
export const namespace = (given: DurableObjectNamespace): ObjectNamespace => given;
export const assets = (given: Fetcher): Assets => given;
export const env = (given: { REGION: DurableObjectNamespace; HUB: DurableObjectNamespace; ASSETS: Fetcher }): Env => given;`),
  );
  expect(problems).toBe('');
});

test('what does not fit is found', async () => {
  expect(await problemsOf(use('export const state = (given: Fetcher): ObjectState => given;'))).toMatch(/TS2739|TS2740|TS2322/);
});
