/** Where this machine stands among others: its name, and the database through which they meet. */
import type { CffbrwError } from '../error.ts';
import type { Sites } from '../http/admin/sites.ts';
import type { PostgresBackbone } from '../node/backbone.ts';
import type { BackboneTarget } from '../node/backbone-url.ts';
import { nodeHost } from '../node/host.ts';
import { UsageError } from './command.ts';

export interface Site {
  readonly name: string;
  readonly backbone: string;
  readonly adopt: boolean;
}

export interface SiteArguments {
  readonly name?: string | undefined;
  readonly backbone?: string | undefined;
  readonly 'allow-unsafe-backbone'?: boolean | undefined;
}

export const siteArguments = {
  backbone: {
    type: 'string',
    description:
      'The PostgreSQL database through which replicas meet; default $CFFBRW_BACKBONE. What it leaves out the PG* variables say',
    valueHint: 'postgres://…',
  },
  'allow-unsafe-backbone': {
    type: 'boolean',
    description: 'Use a server that can lose what it acknowledged (fsync, synchronous_commit or full_page_writes is off)',
  },
} as const;

export const nameArgument = {
  type: 'string',
  description: 'This location’s name among those that share the backbone; default $CFFBRW_NAME',
  valueHint: 'fra',
} as const;

/** null: this app runs on one machine. Throws a UsageError. */
export function siteOf(args: SiteArguments): Site | null {
  const backbone = backboneOf(args);
  const name = args.name ?? process.env.CFFBRW_NAME;
  if (backbone === null) {
    if (args.name !== undefined) throw new UsageError('--name is a name among others: add --backbone postgres://…');
    return null;
  }
  if (name === undefined || name === '')
    throw new UsageError('With --backbone each location has a name: add --name, as in --name fra.');
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw new UsageError('--name is made of lower-case letters, digits and -.');
  return { name, backbone, adopt: false };
}

/** The URL, or null when none is named. */
export function backboneOf({ backbone = process.env.CFFBRW_BACKBONE, ...args }: SiteArguments): string | null {
  if (backbone === undefined || backbone === '') return null;
  if (args['allow-unsafe-backbone'] !== true) return backbone;
  return `${backbone}${backbone.includes('?') ? '&' : '?'}unsafe=1`;
}

/** What the URL and the variables name. Throws a UsageError when they name nothing. */
export async function targetOf(args: SiteArguments): Promise<BackboneTarget> {
  const url = backboneOf(args);
  if (url === null) throw new UsageError('Name the database: --backbone postgres://server/database, or CFFBRW_BACKBONE.');
  return (await import('../node/backbone-url.ts')).parseBackboneUrl(url);
}

export interface BackboneUse {
  readonly backbone: PostgresBackbone;
  readonly operations: Sites;
}

/** Opens the backbone that is named, for one command, which makes none. Rejects with UNREACHABLE, INVALID_APP. */
export async function withBackbone<Result>(args: SiteArguments, use: (found: BackboneUse) => Promise<Result>): Promise<Result> {
  const target = await targetOf(args);
  const [{ openPostgresBackbone }, { operationsOver }] = await Promise.all([
    import('../node/backbone.ts'),
    import('../node/backbone-sites.ts'),
  ]);
  const unreached: CffbrwError[] = [];
  const backbone = await openPostgresBackbone({ target, existing: true, refused: (error) => unreached.push(error) });
  try {
    // Whoever asks is there, and asks again.
    if (unreached[0] !== undefined) throw unreached[0];
    return await use({ backbone, operations: operationsOver(backbone, nodeHost) });
  } finally {
    await backbone.close();
  }
}
