/**
 * A connection to a PostgreSQL server, through TLS where that is wanted, before a byte of the protocol is spoken on it. It is ours, so that it
 * can be cut when an answer does not come: the client would wait for ever.
 */
import { readFileSync } from 'node:fs';
import { createConnection, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { CffbrwError } from '../error.ts';
import type { BackboneTarget, ServerAddress } from './backbone-url.ts';

/** Asks whether the server speaks TLS. */
const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const yes = 0x53;
const no = 0x4e;

/** Rejects with UNREACHABLE; with INVALID_APP when a file of `tls` can't be read. */
export async function openSocket(server: ServerAddress, { tls, connectTimeoutMs }: BackboneTarget): Promise<Socket> {
  const local = server.host.startsWith('/');
  const options = local || tls.mode === 'disable' ? null : tlsOptions(server, tls);
  const socket = createConnection(local ? { path: `${server.host}/.s.PGSQL.${server.port}` } : { ...server, keepAlive: true });
  socket.setNoDelay(true);
  const deadline = setTimeout(() => socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)), connectTimeoutMs);
  try {
    await once(socket, 'connect');
    if (options === null) return socket;
    if (await offersTls(socket)) return await secured(socket, options);
    if (tls.mode === 'prefer' || tls.mode === 'allow') return socket;
    throw new Error(`the server does not speak TLS, and sslmode is ${tls.mode}`);
  } catch (cause) {
    socket.destroy();
    throw unreachable(server, cause);
  } finally {
    clearTimeout(deadline);
  }
}

function tlsOptions({ host }: ServerAddress, tls: BackboneTarget['tls']): ConnectionOptions {
  const verified = tls.mode === 'verify-ca' || tls.mode === 'verify-full' || tls.rootFile !== undefined;
  return {
    ...(isIP(host) === 0 && { servername: host }),
    host,
    rejectUnauthorized: verified,
    // The name in the certificate counts in verify-full alone.
    ...(tls.mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    ...(tls.rootFile !== undefined && { ca: contentOf(tls.rootFile) }),
    ...(tls.certFile !== undefined && { cert: contentOf(tls.certFile) }),
    ...(tls.keyFile !== undefined && { key: contentOf(tls.keyFile) }),
  };
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CffbrwError('INVALID_APP', `a file for the backbone’s TLS can’t be read: ${file}`, { cause });
  }
}

async function offersTls(socket: Socket): Promise<boolean> {
  socket.write(tlsRequest);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  // Whatever follows the one byte was not sent through TLS: somebody else put it there.
  if (answer.length === 1 && (answer[0] === yes || answer[0] === no)) return answer[0] === yes;
  throw new Error('what answers there is no PostgreSQL server');
}

async function secured(socket: Socket, options: ConnectionOptions): Promise<Socket> {
  const secure = connectTls({ ...options, socket });
  await once(secure, 'secureConnect');
  return secure;
}

/** Rejects when it ends before. */
function once(socket: Socket, event: 'connect' | 'data' | 'secureConnect'): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      socket.off('error', failed).off('close', closed).off(event, came);
      act();
    };
    let result: unknown[] = [];
    let failure: unknown;
    const came = (...given: unknown[]) => {
      result = given;
      settle(() => resolve(result))();
    };
    const failed = (error: unknown) => {
      failure = error;
      settle(() => reject(failure))();
    };
    const closed = settle(() => reject(new Error('the server closed the connection')));
    socket.once('error', failed).once('close', closed).once(event, came);
  });
}

const fixes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: check the host and the port, and that PostgreSQL runs and listens on that address.',
  ENOTFOUND: 'There is no host of that name: check it in the URL, or PGHOST.',
};

/** Certificates and addresses that fail are told by their message; the error object can hold more than anybody should read. */
function unreachable({ host, port }: ServerAddress, cause: unknown): CffbrwError {
  if (cause instanceof CffbrwError) return cause;
  const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  const fix = fixes[(cause as NodeJS.ErrnoException).code ?? ''];
  return new CffbrwError(
    'UNREACHABLE',
    `the backbone at ${host}:${port} is out of reach: ${why}`,
    fix === undefined ? {} : { fix },
  );
}
