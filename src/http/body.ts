/** A request's body: read once, bounded, decoded strictly. */
import { CffbrwError } from '../error.ts';
import type { Json } from '../strategy/json.ts';
import type { JsonSchema } from '../workflow/plan.ts';
import type { Inbound } from './http.ts';
import { parseJson } from './json.ts';

export const defaultMaxBodyBytes = 1_048_576;

export const tooLarge = (limitBytes: number): CffbrwError =>
  new CffbrwError('BODY_TOO_LARGE', `the body is larger than ${limitBytes} bytes`, { fix: 'Send less, or in several requests.' });

export const cutShort = (error: unknown): CffbrwError =>
  new CffbrwError('INVALID_INPUT', 'the body ended before it was complete', { cause: error });

export class RequestInbound implements Inbound {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  header(name: string): string | null {
    return this.#request.headers.get(name);
  }

  async bytes(limitBytes: number): Promise<Uint8Array> {
    const declared = this.#request.headers.get('content-length');
    if (declared === null) return readChunks(this.#request, limitBytes);
    if (Number(declared) > limitBytes) throw tooLarge(limitBytes);
    let buffer: ArrayBuffer;
    try {
      buffer = await this.#request.arrayBuffer();
    } catch (error) {
      throw cutShort(error);
    }
    if (buffer.byteLength > limitBytes) throw tooLarge(limitBytes);
    return new Uint8Array(buffer);
  }
}

/** A body of unannounced length. The stream is left, not cancelled, when it is too long: cancelling would cut the answer off, too. */
async function readChunks(request: Request, limitBytes: number): Promise<Uint8Array> {
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw cutShort(error);
    });
    if (done) break;
    length += value.byteLength;
    if (length > limitBytes) {
      reader.releaseLock();
      throw tooLarge(limitBytes);
    }
    chunks.push(value);
  }
  return joined(chunks, length);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const only = chunks[0];
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new CffbrwError('INVALID_INPUT', 'the body is not UTF-8', { cause: error });
  }
}

/** A body whose schema is `{ type: string }` is raw text. */
export const wantsText = (shape: JsonSchema | undefined): boolean => typeof shape === 'object' && shape.type === 'string';

/** The body as a value. An empty body is '' as text and null as JSON. Throws UNSUPPORTED_MEDIA_TYPE, INVALID_INPUT. */
export function decodeBody(bytes: Uint8Array, inbound: Inbound, text: boolean): Json {
  if (bytes.byteLength === 0) return text ? '' : null;
  const type = inbound.header('content-type');
  if (type !== 'application/json') checkType(type, text);
  const encoding = inbound.header('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    throw new CffbrwError('UNSUPPORTED_MEDIA_TYPE', `the body is encoded as ${encoding.slice(0, 40)}`, {
      fix: 'Send it without an encoding.',
    });
  }
  return text ? decode(bytes) : parseJson(decode(bytes));
}

const jsonType = /^application\/(?:[\w.+-]+\+)?json$/;
const utf8 = /^(?:\s*;\s*charset\s*=\s*"?utf-?8"?\s*)*$/i;

/** Text is taken whatever it calls itself. JSON must say so: a form of a foreign page can send any other type without asking. */
function checkType(header: string | null, text: boolean): void {
  const [type = '', ...parameters] = (header ?? '').split(';');
  const charset = parameters.filter((parameter) => /^\s*charset\s*=/i.test(parameter)).map((parameter) => `;${parameter}`);
  if (!utf8.test(charset.join('')))
    throw new CffbrwError('UNSUPPORTED_MEDIA_TYPE', 'the body is not in UTF-8', { fix: 'Send UTF-8.' });
  if (text || jsonType.test(type.trim().toLowerCase())) return;
  const found = header === null ? 'the body has no content-type' : `the body is ${type.trim().slice(0, 80)}`;
  throw new CffbrwError('UNSUPPORTED_MEDIA_TYPE', `${found}, but this takes JSON`, {
    fix: 'Send the header content-type: application/json',
  });
}
