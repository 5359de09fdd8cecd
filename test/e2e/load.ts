/** Load on one address: so many requests, so many at a time, on kept-alive connections. */
import { Agent, request } from 'node:http';

export interface Answer {
  /** 0: no answer (the connection broke, or was refused). */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Call {
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function createClient(url: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  const post = ({ path, body, headers }: Call): Promise<Answer> =>
    new Promise((resolve) => {
      const lost = () => resolve({ status: 0, body: {} });
      const text = JSON.stringify(body);
      const sent = request(
        {
          agent,
          hostname,
          port,
          path,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers },
        },
        (response) => {
          let received = '';
          response.on('data', (chunk: Buffer) => (received += chunk.toString()));
          response.on('error', lost);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse(received) }));
          response.on('close', lost);
        },
      );
      sent.on('error', lost);
      sent.end(text);
    });
  return { post, close: () => agent.destroy() };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

/** Calls `one(0) … one(count − 1)`, at most `atATime` at once. */
export async function inParallel<T>(count: number, atATime: number, one: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await one(index);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return results;
}

/** The first value of each variable in an app's public stream. */
export async function readEvents(url: string, names: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const stop = new AbortController();
  const response = await fetch(`${url}/events`, { signal: stop.signal });
  const values: Record<string, unknown> = {};
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    for (const [, name, data] of text.matchAll(/event: (\S+)\ndata: (.+)\n/g)) {
      if (name !== undefined && data !== undefined) values[name] = (JSON.parse(data) as { value: unknown }).value;
    }
    if (names.every((name) => name in values)) break;
  }
  stop.abort();
  return values;
}
