/** Servers on this machine's loopback, and what they saw. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from 'node:net';

export interface Listening {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  close(): Promise<void>;
}

async function listen(server: Server, host: string, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ port, host, ipv6Only: true }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** An HTTP server on 127.0.0.1. */
export const listenHttp = (answer: RequestListener): Promise<Listening> => listen(createServer(answer), '127.0.0.1');

/** A server on 127.0.0.1 that answers each connection as it likes. */
export const listenRaw = (answer: (socket: Socket) => void): Promise<Listening> => listen(createRawServer(answer), '127.0.0.1');

/** One port on 127.0.0.1 and ::1, which answers whoever gets through. */
export async function listenAsTrap(): Promise<Listening> {
  const answer = (_: IncomingMessage, response: ServerResponse) => void response.end('caught');
  const four = await listen(createServer(answer), '127.0.0.1');
  const six = await listen(createServer(answer), '::1', four.port);
  return {
    port: four.port,
    get connections() {
      return four.connections + six.connections;
    },
    async close() {
      await Promise.all([four.close(), six.close()]);
    },
  };
}
