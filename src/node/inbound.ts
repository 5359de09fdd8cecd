/** The headers and the body of a request straight from Node's parser: no copy, no web stream. */
import type { IncomingMessage } from 'node:http';
import { cutShort, tooLarge } from '../http/body.ts';
import type { Inbound } from '../http/http.ts';

export class NodeInbound implements Inbound {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  header(name: string): string | null {
    const { headers } = this.#incoming;
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value === undefined) return null;
    return typeof value === 'string' ? value : value.join(', ');
  }

  bytes(limitBytes: number): Promise<Uint8Array> {
    const declared = this.#incoming.headers['content-length'];
    if (declared !== undefined && Number(declared) > limitBytes) return Promise.reject(tooLarge(limitBytes));
    return collect(this.#incoming, limitBytes);
  }
}

function collect(incoming: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= limitBytes) return;
      // Whatever still comes is left to the server, which closes the connection after the answer.
      incoming.pause();
      incoming.off('data', onData);
      reject(tooLarge(limitBytes));
    };
    incoming.on('data', onData);
    incoming.on('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks, length)));
    // An error is followed by a close, and is no event while nobody listens for it. Every request closes: making an error of each would
    // cost more than the rest of it.
    incoming.on('close', () => {
      if (!incoming.readableEnded) reject(cutShort(incoming.errored));
    });
    if (incoming.destroyed) reject(cutShort(incoming.errored));
  });
}

const empty = Buffer.alloc(0);
