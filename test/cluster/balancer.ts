/**
 * A small HTTP balancer, as strict as they come: connections are kept alive on both sides, a site is out as soon as its health is not 200 or
 * it refuses a connection, and a request that was sent is never sent again. What it could not get an answer for it counts as dropped.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nodeHost } from '../../src/node/host.ts';

export interface Balancer {
  readonly url: string;
  /** What was sent to a site and got no answer: why, by site. */
  readonly dropped: readonly string[];
  /** This site answers there now. */
  put(name: string, url: string): void;
  close(): Promise<void>;
}

interface Backend {
  readonly name: string;
  readonly url: URL;
  readonly agent: Agent;
  healthy: boolean;
}

const healthMs = 100;

export async function startBalancer(): Promise<Balancer> {
  const backends = new Map<string, Backend>();
  const dropped: string[] = [];
  const state = { turn: 0, closed: false };

  function next(): Backend | undefined {
    const healthy = [...backends.values()].filter((backend) => backend.healthy);
    return healthy[state.turn++ % Math.max(1, healthy.length)];
  }

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer): void {
    const backend = next();
    if (backend === undefined) {
      dropped.push('nobody is healthy');
      outgoing.writeHead(502).end();
      return;
    }
    send(backend, incoming, body)
      .then(
        async (response) => outgoing.writeHead(response.statusCode ?? 0, typeOf(response)).end(await bytesOf(response)),
        (error: NodeJS.ErrnoException) => {
          backend.healthy = false;
          // Nothing was sent: another may have it.
          if (error.code === 'ECONNREFUSED') return pass(incoming, outgoing, body);
          dropped.push(`${backend.name}: ${error.message}`);
          outgoing.writeHead(502).end();
        },
      )
      .catch((error: Error) => {
        dropped.push(`${backend.name}: in the middle of the answer: ${error.message}`);
        outgoing.destroy();
      });
  }

  async function look(backend: Backend): Promise<void> {
    while (!state.closed && backends.get(backend.name) === backend) {
      const status = await healthOf(backend.url);
      backend.healthy = status === 200;
      await new Promise<void>((resolve) => void nodeHost.after(healthMs, resolve));
    }
  }

  const server = createServer((incoming, outgoing) => {
    void bytesOf(incoming).then((body) => pass(incoming, outgoing, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dropped,
    put(name, url) {
      backends.get(name)?.agent.destroy();
      const backend = { name, url: new URL(url), agent: new Agent({ keepAlive: true }), healthy: false };
      backends.set(name, backend);
      void look(backend);
    },
    async close() {
      state.closed = true;
      for (const { agent } of backends.values()) agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const typeOf = ({ headers }: IncomingMessage) => ({ 'content-type': headers['content-type'] ?? 'application/json' });

function send({ url, agent }: Backend, { method, url: path, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { connection: _, ...rest } = headers;
    const sent = request(
      { agent, hostname: url.hostname, port: url.port, method, path, headers: { ...rest, host: url.host } },
      resolve,
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** 0: it does not answer. Each time on a connection of its own. */
function healthOf(url: URL): Promise<number> {
  return new Promise((resolve) => {
    const asked = request(
      { hostname: url.hostname, port: url.port, path: '/_cffbrw/health', agent: false, timeout: 1_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(0));
    asked.end();
  });
}
