/**
 * The registers, in PostgreSQL. Concurrent calls share a request, and compare-and-sets of one request are one transaction: they are done one
 * after another, as if each had come by itself.
 *
 * Invariants: B3 and B4 of backbone/backbone.ts, G3 of backbone-schema.ts.
 */
import type { Register, Registers } from '../backbone/index.ts';
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import { arrayOf, onceTablesAreThere, reach, twice } from './backbone-ask.ts';
import type { Answer, Value } from './backbone-connection.ts';
import { gather } from './backbone-gather.ts';
import type { Line } from './backbone-line.ts';

/** Calls of one request: what a server does at once while others wait for its turn. */
const most = 256;

export interface RegistersOptions {
  readonly schema: string;
  readonly host: Host;
  readonly line: Line;
}

interface Swap {
  readonly name: string;
  readonly value: string | null;
  readonly revision: string | null;
}

export function createRegisters({ schema, host, line }: RegistersOptions): Registers {
  const getSql = `select * from ${schema}.look($1)`;
  // The types tell it from the function of that name that older versions ask.
  const swapSql = `select * from ${schema}.swap($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])`;

  /** The answers in the order of what was asked. Without an identity nothing was looked at, and nothing done (G3). */
  async function entered(text: string, values: readonly Value[], count: number): Promise<readonly Answer[]> {
    const session = await reach(line);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answers = await session.ask(text, values);
      if (answers.length === count) return [...answers].sort((a, b) => Number(a.place) - Number(b.place));
      await session.enter();
    }
    throw unknownIdentity();
  }

  async function getAll(names: readonly string[]): Promise<readonly Register[]> {
    const answers = await twice(() => entered(getSql, [arrayOf(names)], names.length));
    return answers.map(registerOf);
  }

  async function swapAll(swaps: readonly Swap[]) {
    const known = swaps.map(({ revision }) => parseRevision(revision));
    const columns = [
      swaps.map(({ name }) => name),
      swaps.map(({ value }) => value),
      swaps.map(() => host.id()),
      known.map(({ token }) => token),
      known.map(({ identity }) => identity),
    ];
    const answers = await onceTablesAreThere(() => entered(swapSql, columns.map(arrayOf), swaps.length));
    return answers.map((answer) => ({ done: answer.done === true, register: registerOf(answer) }));
  }

  const get = gather({ host, most, send: getAll });
  const swap = gather({ host, most, send: swapAll });
  return { get, compareAndSet: (name, value, revision) => swap({ name, value, revision }) };
}

export const unknownIdentity = () => new CffbrwError('UNREACHABLE', 'the backbone does not say which one it is');

/** A revision names the identity, so that none from before a loss holds after it. */
function registerOf({ identity, value, token }: Answer): Register {
  const of = String(identity);
  return {
    value: typeof value === 'string' ? value : null,
    revision: `${of}/${typeof token === 'string' ? token : ''}`,
    identity: of,
  };
}

/** null: if it does not exist, whatever the identity. */
function parseRevision(revision: string | null): { readonly identity: string | null; readonly token: string | null } {
  if (revision === null) return { identity: null, token: null };
  const at = revision.lastIndexOf('/');
  const token = revision.slice(at + 1);
  return { identity: revision.slice(0, Math.max(0, at)), token: token === '' ? null : token };
}
