/** A TCP proxy that can be cut, made one-way, slowed down, or cut in the middle of a message. */
import { createConnection, createServer, type Socket } from 'node:net';

type Way = 'to-server' | 'to-client';

export interface TestProxy {
  readonly port: number;
  /** Ends what is open, and refuses what comes. */
  cut(): void;
  /** Swallows what goes this way, and keeps connections open; one that lost something passes nothing that way any more. */
  swallow(way: Way | null): void;
  /** Keeps what goes this way until it is healed, and delivers it then, also when who sent it has given up: as TCP does, which sends again. */
  hold(way: Way): void;
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
  const whole = { cut: false, swallowed: null as Way | null, held: null as Way | null, delayMs: 0, bytes: null as number | null };
  const state = { ...whole };
  const holding = new Set<() => void>();

  const pass = (from: Socket, to: Socket, way: Way) => {
    const queue: Buffer[] = [];
    let dueMs = 0;
    /** In order, also when what comes later has less far to go. */
    const send = (chunk: Buffer) => {
      const nowMs = performance.now();
      dueMs = Math.max(dueMs, nowMs + state.delayMs);
      if (dueMs <= nowMs && queue.length === 0) return to.write(chunk);
      queue.push(chunk);
      return setTimeout(() => to.writable && to.write(queue.shift() ?? ''), dueMs - nowMs);
    };
    let lost = false;
    let kept: Buffer[] | null = null;
    const release = () => {
      holding.delete(release);
      for (const chunk of kept ?? []) to.write(chunk);
      kept = null;
      if (from.destroyed) to.end();
    };
    from.on('data', (chunk: Buffer) => {
      if (state.swallowed === way) lost = true;
      if (lost) return;
      if (state.held === way) {
        if (kept === null) holding.add(release);
        kept = [...(kept ?? []), chunk];
        return;
      }
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
      send(rest);
    });
    from.on('error', () => {});
    from.on('close', () => kept === null && to.destroy());
  };
  const server = createServer((client) => {
    if (state.cut) return client.destroy();
    const upstream = createConnection(target);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    upstream.on('close', () => pairs.delete(pair));
    pass(client, upstream, 'to-server');
    pass(upstream, client, 'to-client');
    return;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    holding.clear();
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
    hold(way) {
      state.held = way;
    },
    delay(delayMs) {
      state.delayMs = delayMs;
    },
    cutAfter(bytes) {
      state.bytes = bytes;
    },
    heal() {
      Object.assign(state, whole);
      for (const release of [...holding]) release();
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
