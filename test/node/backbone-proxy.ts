/** A TCP proxy that can be cut, made one-way, slowed down, or cut in the middle of a message. */
import { createConnection, createServer, type Socket } from 'node:net';

export interface TestProxy {
  readonly port: number;
  /** Ends what is open, and refuses what comes. */
  cut(): void;
  /** Swallows what goes this way, and keeps connections open. */
  swallow(way: 'to-server' | 'to-client' | null): void;
  delay(delayMs: number): void;
  /** Ends each connection after so many more bytes have gone to the server. null: never. */
  cutAfter(bytes: number | null): void;
  heal(): void;
  readonly connections: number;
  /** What went to the server, as text. */
  passed(): string;
  close(): Promise<void>;
}

/** `change`: what becomes of what the server sends. */
export async function startProxy(
  target: { readonly host: string; readonly port: number },
  change: (chunk: Buffer) => Buffer = (chunk) => chunk,
): Promise<TestProxy> {
  let passed = '';
  const pairs = new Set<readonly [Socket, Socket]>();
  const state = { cut: false, swallowed: null as 'to-server' | 'to-client' | null, delayMs: 0, bytes: null as number | null };

  const pass = (from: Socket, to: Socket, way: 'to-server' | 'to-client') => {
    from.on('data', (chunk: Buffer) => {
      if (state.swallowed === way) return;
      let rest = way === 'to-client' ? change(chunk) : chunk;
      if (way === 'to-server') passed += chunk.toString('latin1');
      if (way === 'to-server' && state.bytes !== null) {
        rest = chunk.subarray(0, state.bytes);
        state.bytes -= rest.length;
        if (state.bytes === 0) {
          state.bytes = null;
          to.write(rest, () => {
            from.destroy();
            to.destroy();
          });
          return;
        }
      }
      if (state.delayMs === 0) to.write(rest);
      else setTimeout(() => to.writable && to.write(rest), state.delayMs);
    });
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  };
  const server = createServer((client) => {
    if (state.cut) return client.destroy();
    const upstream = createConnection(target);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on('close', () => pairs.delete(pair));
    pass(client, upstream, 'to-server');
    pass(upstream, client, 'to-client');
    return;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    for (const sockets of pairs) for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    cut() {
      state.cut = true;
      end();
    },
    swallow(way) {
      state.swallowed = way;
    },
    delay(delayMs) {
      state.delayMs = delayMs;
    },
    cutAfter(bytes) {
      state.bytes = bytes;
    },
    heal() {
      Object.assign(state, { cut: false, swallowed: null, delayMs: 0, bytes: null });
    },
    get connections() {
      return pairs.size;
    },
    passed: () => passed,
    async close() {
      end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
