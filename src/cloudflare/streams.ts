/**
 * Event streams of a region. The Worker keeps the client's connection and reads a socket of the object, which may sleep meanwhile: then only the
 * socket stays, and its stream begins again, with a snapshot, when the object wakes.
 */
import type { ObjectSocket, ObjectState } from './bindings.ts';

export interface Streams {
  readonly count: number;
  /** Answers the Worker with a socket, or with the app's refusal. `search`: the query of the client's request. */
  open(search: string): Promise<Response>;
  /** After a sleep: goes on with the sockets that are there. */
  resume(): void;
  closed(socket: unknown): void;
}

export interface StreamsOptions {
  readonly state: ObjectState;
  /** null: the app has no events. */
  readonly path: string | null;
  /** The app's own answer to a request. */
  readonly ask: (request: Request) => Promise<Response>;
}

interface SocketPair {
  readonly 0: unknown;
  readonly 1: ObjectSocket;
}

const { WebSocketPair: makePair } = globalThis as unknown as { readonly WebSocketPair: new () => SocketPair };

export function createStreams({ state, path, ask }: StreamsOptions): Streams {
  const readers = new Map<unknown, ReadableStreamDefaultReader<Uint8Array>>();

  const streamOf = (search: string): Promise<Response> => ask(new Request(`http://object${path}${search}`));

  async function pump(socket: ObjectSocket, { body, status }: Response): Promise<void> {
    if (body === null || status !== 200) return socket.close(1013, 'there is no stream'); // its client asks again, and is told why
    const reader = body.getReader();
    readers.set(socket, reader);
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      socket.send(decoder.decode(value, { stream: true }));
    }
    readers.delete(socket);
    socket.close(1000, 'the stream ended');
  }
  const closed = (socket: unknown): void => {
    const reader = readers.get(socket);
    readers.delete(socket);
    reader?.cancel().catch(() => {});
  };
  const start = (socket: ObjectSocket, response: Response): void => {
    pump(socket, response).catch(() => closed(socket)); // its reader has gone
  };

  return {
    get count() {
      return state.getWebSockets().length;
    },
    async open(search) {
      const response = await streamOf(search);
      if (response.status !== 200) return response;
      const pair = new makePair();
      state.acceptWebSocket(pair[1]);
      pair[1].serializeAttachment(search);
      start(pair[1], response);
      return new Response(null, { status: 101, webSocket: pair[0] } as ResponseInit);
    },
    resume() {
      for (const socket of state.getWebSockets()) {
        if (readers.has(socket)) continue;
        streamOf(String(socket.deserializeAttachment() ?? ''))
          .then((response) => start(socket, response))
          .catch(() => {}); // its client asks again
      }
    },
    closed,
  };
}
