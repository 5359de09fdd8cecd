/** What the commands of `vars` have in common: which app they ask, and how keys and values stand on the command line. */
import type { ArgsDef } from 'citty';
import type { Key } from '../../strategy/address.ts';
import type { Json } from '../../strategy/json.ts';
import { UsageError } from '../command.ts';
import { createAsk, localVariables, remoteVariables, type VariableSource, type WindowName } from './vars-source.ts';

export const where = {
  url: {
    type: 'string',
    default: 'http://127.0.0.1:3000',
    description: 'Where the app answers; its token is in CFFBRW_TOKEN',
    valueHint: 'address',
  },
  data: { type: 'string', description: 'The data of an app that is stopped, instead of one that runs', valueHint: 'directory' },
  dir: { type: 'string', default: '.', description: 'With --data: the directory with cffbrw.yaml', valueHint: 'directory' },
  json: { type: 'boolean', description: 'Print JSON' },
} as const satisfies ArgsDef;

export const name = { type: 'positional', required: true, description: 'The name of the variable' } as const;
export const keyArgs = {
  key: { type: 'string', description: 'A key that is text', valueHint: 'text' },
  'key-json': { type: 'string', description: 'A key that is an integer or a list: 42, ["cart",7]', valueHint: 'json' },
} as const satisfies ArgsDef;
export const windowArg = { type: 'string', default: 'current', description: 'current or previous', valueHint: 'window' } as const;

export interface Where {
  readonly url: string;
  readonly data?: string | undefined;
  readonly dir: string;
}

export async function within<Result>(
  { url, data, dir }: Where,
  create: boolean,
  use: (source: VariableSource) => Promise<Result>,
): Promise<Result> {
  const source =
    data === undefined
      ? remoteVariables(createAsk({ url, token: process.env.CFFBRW_TOKEN }))
      : await localVariables({ directory: dir, data, create });
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

export function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new UsageError(`${what} is JSON, and “${text}” is not. Text is in double quotes: '"${text.replaceAll('"', '')}"'.`);
  }
}

export function keyOf(args: { readonly key?: string | undefined; readonly 'key-json'?: string | undefined }): Key | undefined {
  const json = args['key-json'];
  if (json === undefined) return args.key;
  if (args.key !== undefined) throw new UsageError('--key and --key-json are two keys: one is enough.');
  return parseJson(json, '--key-json') as Key;
}

export const windowOf = (given: string): WindowName => {
  if (given === 'current' || given === 'previous') return given;
  throw new UsageError(`--window is current or previous, not “${given}”.`);
};

export const print = (value: unknown): void => console.log(JSON.stringify(value));
