/** A request and an answer of a simulated user: the handler gets what a platform gives it, and no `Request` is made unless somebody reads one. */
import type { Inbound, MakeResponse } from '../http/index.ts';
import type { Json } from '../strategy/json.ts';

/** Sent to a replica's handler. */
export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; null: no body. */
  readonly body?: Json;
}

export interface Answer {
  /** 0: none; the replica died before it answered, or does not run. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or the text; null without a body. */
  readonly body: Json;
}

const origin = 'http://simulation';
const encoder = new TextEncoder();
const noBytes = new Uint8Array(0);
const noHeaders = Object.freeze({});

/** What a handler reads of a request: mostly its method and its address. */
class LightRequest {
  readonly method: string;
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;
  #built: Headers | null = null;

  constructor(method: string, path: string, headers: Readonly<Record<string, string>>) {
    this.method = method;
    this.url = origin + path;
    this.#headers = headers;
  }

  get headers(): Headers {
    this.#built ??= new Headers(this.#headers);
    return this.#built;
  }
}

export interface Sent {
  readonly request: Request;
  readonly inbound: Inbound;
}

export function sentOf({ method, path, headers = noHeaders, body = null }: Ask): Sent {
  const named: Record<string, string> = {};
  for (const name in headers) named[name.toLowerCase()] = headers[name] ?? '';
  if (body !== null) named['content-type'] ??= 'application/json';
  const inbound: Inbound = {
    header: (name) => named[name] ?? null,
    bytes: async () => (body === null ? noBytes : encoder.encode(JSON.stringify(body))),
  };
  return { request: new LightRequest(method, path, named) as unknown as Request, inbound };
}

/** Nobody answered. */
export const unanswered: Answer = Object.freeze({ status: 0, headers: noHeaders, body: null });

/** What a run's answer is made of, without streams. */
class LightResponse {
  readonly status: number;
  readonly text: string;
  readonly #given: Readonly<Record<string, string>>;
  #built: Headers | null = null;

  constructor(text: string, status: number, given: Readonly<Record<string, string>>) {
    this.text = text;
    this.status = status;
    this.#given = given;
  }

  get headers(): Headers {
    this.#built ??= new Headers(this.#given);
    return this.#built;
  }

  get plainHeaders(): Readonly<Record<string, string>> {
    return this.#built === null ? this.#given : Object.fromEntries(this.#built);
  }
}

export const makeLight: MakeResponse = (body, { status, headers }) =>
  new LightResponse(body ?? '', status, headers) as unknown as Response;

export async function answerOf(response: Response): Promise<Answer> {
  const { status } = response;
  const light = response as unknown;
  if (light instanceof LightResponse) return { status, headers: light.plainHeaders, body: bodyOf(light.text) };
  return { status, headers: Object.fromEntries(response.headers), body: bodyOf(await response.text()) };
}

function bodyOf(text: string): Json {
  if (text === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
