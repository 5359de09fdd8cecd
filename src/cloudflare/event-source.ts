/** An event stream to a client, from a socket of a region's object: the object may sleep while the client's connection stays. */
import type { ObjectStub } from './bindings.ts';
import { objectHeader } from './wire.ts';

interface ClientSocket {
  accept(): void;
  close(): void;
  addEventListener(kind: 'message' | 'close' | 'error', listener: (event: { readonly data?: unknown }) => void): void;
}

/** Proxies end connections on which nothing happens. */
const beatMs = 15_000;
const maxWaitingBytes = 1_048_576;
const encoder = new TextEncoder();

export async function streamEvents(stub: ObjectStub, request: Request): Promise<Response> {
  const asked = new Request(request.url, { headers: { [objectHeader]: 'events', upgrade: 'websocket' } });
  const response = await stub.fetch(asked);
  const { webSocket: socket } = response as { readonly webSocket?: ClientSocket | null };
  if (socket === undefined || socket === null) return response;
  return new Response(streamOf(socket), {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    },
  });
}

function streamOf(socket: ClientSocket): ReadableStream<Uint8Array> {
  let beat: ReturnType<typeof setInterval> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          clearInterval(beat);
          try {
            controller.close();
          } catch {
            // Its reader has gone.
          }
        };
        const send = (text: string) => {
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) < -maxWaitingBytes) {
            socket.close(); // its client reads too slowly
            end();
          }
        };
        beat = setInterval(() => send(':\n\n'), beatMs);
        socket.addEventListener('message', ({ data }) => send(String(data)));
        socket.addEventListener('close', end);
        socket.addEventListener('error', end);
        socket.accept();
      },
      cancel() {
        clearInterval(beat);
        socket.close();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  );
}
