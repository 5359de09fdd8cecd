/** What an `http` step gets back: bounded, as a value; and the failure that a status can be. */
import { CffbrwError } from '../../error.ts';
import { checkJson, forbiddenKeys, type Json } from '../../strategy/json.ts';

/** Of a body, with its content coding and without it. */
export const maxAnswerBytes = 10_485_760;
/** Of the answer as JSON text, in a keyed run: it is kept in the run's journal. */
export const maxKeptLength = 1_048_576;
const maxAnswerDepth = 64;

export interface Answer {
  readonly status: number;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON value if the content-type says so, else text; null for an empty body of JSON. */
  readonly body: Json;
  /** Why there is no body. */
  readonly unusable?: Unusable;
}

export type Unusable = 'too-large' | 'too-long' | 'not-json';

const unusables: Readonly<Record<Unusable, readonly [message: string, fix: string]>> = {
  'too-large': ['the answer is larger than 10 MB', 'Ask for less of it.'],
  'too-long': ['the answer is larger than a run with an idempotency key can keep (1 MB)', 'Ask for less of it.'],
  'not-json': [
    'the answer says that it is JSON, and it is not, or none that a workflow can hold',
    'It may nest 64 deep, with finite numbers, and without keys such as `__proto__`.',
  ],
};

/** HTTP_FAILED, with what the other server answered. */
export class AnswerFailure extends CffbrwError {
  readonly answer: { readonly status: number; readonly body: Json };

  constructor({ status, body, unusable }: Answer) {
    const [message, fix] =
      unusable === undefined
        ? [
            `the other server answered ${status}, which this step does not accept`,
            'Add the status to `accept`, or handle it in the `catch` of a `try`.',
          ]
        : unusables[unusable];
    super('HTTP_FAILED', message, { fix });
    this.answer = { status, body };
  }
}

/** The statuses that say of themselves that a repeated request may be answered otherwise. */
export const isPassing = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429;

/** Rejects as the body does when it breaks off. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status } = response;
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    if (!forbiddenKeys.has(name)) headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  const bytes = await readBytes(response.body);
  if (bytes === null) return { status, headers, body: null, unusable: 'too-large' };
  const type = headers['content-type'] ?? '';
  if (!isJson(type)) return { status, headers, body: decoderOf(type).decode(bytes) };
  const body = jsonOf(bytes);
  return body === undefined ? { status, headers, body: null, unusable: 'not-json' } : { status, headers, body };
}

/** As a keyed run can keep it. */
export const kept = (answer: Answer): Answer =>
  JSON.stringify(answer).length <= maxKeptLength
    ? answer
    : { status: answer.status, headers: {}, body: null, unusable: 'too-long' };

/** Null: there is too much. */
async function readBytes(body: Response['body']): Promise<Uint8Array | null> {
  if (body === null) return new Uint8Array(0);
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.byteLength;
    if (length > maxAnswerBytes) {
      reader.cancel().catch(ignore);
      return null;
    }
    chunks.push(read.value);
  }
  return joined(chunks, length);
}

const ignore = (): void => {};

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

const isJson = (type: string): boolean => /^\s*(application|text)\/([\w.!#$&^+-]+\+)?json\s*(;|$)/i.test(type);

function jsonOf(bytes: Uint8Array): Json | undefined {
  if (bytes.byteLength === 0) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return checkJson(value, { depth: maxAnswerDepth, bytes: 4 * maxAnswerBytes });
  } catch {
    return undefined;
  }
}

/** UTF-8, unless the content-type names another charset that is known here. */
function decoderOf(type: string): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([\w:.-]+)/i.exec(type)?.[1];
  try {
    return new TextDecoder(charset ?? 'utf-8');
  } catch {
    return new TextDecoder();
  }
}
