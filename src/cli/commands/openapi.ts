import { writeFile } from 'node:fs/promises';
import { appOpenapi } from '../../http/openapi.ts';
import { command } from '../command.ts';
import { readApp } from '../running.ts';

export const openapi = command({
  name: 'openapi',
  description: 'The OpenAPI 3.1 document of an app’s routes, from its documents: the app need not run.',
  examples: ['cffbrw openapi', 'cffbrw openapi examples/wheel', 'cffbrw openapi . --out openapi.json'],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    out: { type: 'string', description: 'The file to write; standard output when left out', valueHint: 'file' },
    json: { type: 'boolean', description: 'In one line' },
  },
  async run({ dir, out, json }) {
    const text = `${JSON.stringify(appOpenapi(await readApp(dir)), null, json ? undefined : 2)}\n`;
    if (out === undefined) process.stdout.write(text);
    else await writeFile(out, text);
    return 0;
  },
});
