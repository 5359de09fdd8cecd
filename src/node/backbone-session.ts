/**
 * One connection to the backbone's server, from the handshake to the first failure; then it is thrown away. It looks at the server before
 * anything else is asked (is it a primary, does it keep what it acknowledges, are the tables there) and enters.
 *
 * Invariant:
 *   T2  Nothing is asked on a session that has not entered (G3 of backbone-schema.ts).
 */
import { CffbrwError } from '../error.ts';
import {
  type Answer,
  asUnreachable,
  type Connection,
  type ConnectionOptions,
  createConnection,
  type Value,
} from './backbone-connection.ts';
import type { Mark, Marks } from './backbone-mark.ts';
import { schemaFormat, setupSql } from './backbone-schema.ts';
import { checkMade, checkServer, factsSql, type ServerFacts } from './backbone-server.ts';
import { openSocket } from './backbone-socket.ts';
import type { BackboneTarget, ServerAddress } from './backbone-url.ts';

export interface SessionOptions extends ConnectionOptions {
  readonly marks: Marks;
  /** Makes no tables: where an app has been, they are there. Default false. */
  readonly existing?: boolean;
}

export interface Session {
  /** A pooler stands between: other sessions may use this connection between two requests. */
  readonly pooled: boolean;
  readonly ended: boolean;
  /** Rejects with UNREACHABLE: whether it was done is unknown. */
  ask(text: string, values?: readonly Value[]): Promise<readonly Answer[]>;
  /** Looks again whether the server has all that was seen, and says what it shows. */
  enter(): Promise<Mark>;
  /** Whether the server tells of new rows from now on. Rejects with UNREACHABLE. */
  listen(isOn: boolean): Promise<void>;
  end(): void;
}

/** Tries the servers in their order. Rejects with UNREACHABLE, or INVALID_APP when a server answers that must not be used. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const failures: CffbrwError[] = [];
  for (const server of options.target.servers) {
    try {
      return await openAt(server, options);
    } catch (error) {
      failures.push(asUnreachable(error));
    }
  }
  throw failures.find(({ code }) => code === 'INVALID_APP') ?? together(failures);
}

/** Each server has its own reason: that the first is a standby says nothing of why the second did not answer. */
function together(failures: readonly CffbrwError[]): CffbrwError {
  const [first] = failures;
  if (first === undefined) throw new CffbrwError('INVARIANT', 'a backbone has at least one server');
  if (failures.length === 1) return first;
  const fix = failures.find((failure) => failure.fix !== undefined)?.fix;
  const message = failures.map((failure) => failure.message).join('; ');
  return new CffbrwError('UNREACHABLE', message, { ...(fix !== undefined && { fix }), cause: failures.at(-1)?.cause });
}

async function openAt(server: ServerAddress, options: SessionOptions): Promise<Session> {
  const { target, marks } = options;
  const connection = createConnection(await openSocket(server, target), options);
  const { schema, timeoutMs } = target;
  let pooled = true; // until it is known
  const ask = (text: string, values: readonly Value[] = []) => connection.ask(text, values, !pooled);
  const enter = async (): Promise<Mark> => {
    const { identity, boot, log, place } = marks.seen;
    const [found] = await ask(`select * from ${schema}.enter($1, $2, $3, $4)`, [identity, boot, log, place]);
    checkFormat(Number(found?.format));
    return marks.entered(found);
  };
  const listen = async (isOn: boolean): Promise<void> => {
    await connection.run(`${isOn ? 'listen' : 'unlisten'} ${schema}`);
  };
  try {
    const facts = await look(connection, schema);
    checkServer(facts, target);
    pooled = facts.pooled;
    if (!pooled) await ask(`select set_config('statement_timeout', '${2 * timeoutMs}', false)`);
    if (options.existing === true) checkMade(facts, target);
    if (!facts.there) await connection.run(setupSql(schema));
    if (options.wake !== undefined && listens(target, facts)) await listen(true);
    await enter();
    return {
      ...{ pooled, enter, ask, listen },
      end: connection.end,
      get ended() {
        return connection.ended;
      },
    };
  } catch (error) {
    connection.end();
    throw error;
  }
}

function checkFormat(format: number): void {
  if (format === schemaFormat) return;
  throw new CffbrwError('INVALID_APP', `the backbone has format ${format}, and this version knows ${schemaFormat}`, {
    fix: 'Update CFFBRW on this replica.',
  });
}

export const listens = ({ notify }: BackboneTarget, { pooled }: Pick<Session, 'pooled'>): boolean =>
  notify === 'on' || (notify === 'auto' && !pooled);

async function look(connection: Connection, schema: string): Promise<ServerFacts> {
  const { rows, processId } = await connection.run(factsSql(schema));
  const [facts] = rows;
  // A pooler gives out numbers of its own.
  return { ...(facts as unknown as Omit<ServerFacts, 'pooled'>), pooled: facts?.process !== processId };
}
