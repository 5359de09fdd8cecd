/**
 * What nobody has read of a request. A connection on which part of a body still stands ends for the client in the middle of sending, or serves
 * nobody after it (workerd: "Can't read from request stream after response has been sent").
 */
import type { Host } from '../host.ts';
import { within } from './within.ts';

/** Who sends more, or takes longer, is cut off. */
const mostBytes = 1_048_576;
const patienceMs = 1_000;

/** Reads the rest, or lets go of it. Never rejects. */
export async function readRest(host: Host, { body, bodyUsed }: Request): Promise<void> {
  if (body === null || bodyUsed || body.locked) return;
  const reader = body.getReader();
  await within(host, patienceMs, read(reader));
  await reader.cancel().catch(() => {}); // the client is gone
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let left = mostBytes; left > 0; ) {
    const { done, value } = await reader.read();
    if (done) return;
    left -= value.byteLength;
  }
}
