import type { Host } from '../../src/host.ts';
import type { Answer, Endpoint, HttpRequest, IdempotencyKey, RouterOptions } from '../../src/http/http.ts';
import type { LogEntry, Problem } from '../../src/http/problem.ts';
import { createRouter } from '../../src/http/router.ts';
import { createPathRouter } from '../../src/workflow/path-router.ts';

/** A host whose time moves when a test says so. */
export interface FakeHost extends Host {
  /** Moves time on and runs what is due, in order. */
  advance(ms: number): void;
  readonly timers: number;
}

export function fakeHost(startMs = Date.UTC(2026, 10, 20)): FakeHost {
  let now = startMs;
  let ids = 0;
  let tasks: { atMs: number; task: () => void }[] = [];
  return {
    now: () => now,
    elapsed: () => now,
    random: () => 0.5,
    id: () => String(++ids).padStart(32, '0'),
    after(delayMs, task) {
      const entry = { atMs: now + delayMs, task };
      tasks.push(entry);
      return () => {
        tasks = tasks.filter((each) => each !== entry);
      };
    },
    fetch: () => Promise.reject(new Error('no network here')),
    get timers() {
      return tasks.length;
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = tasks.filter((each) => each.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        tasks = tasks.filter((each) => each !== due);
        now = Math.max(now, due.atMs);
        due.task();
      }
      now = end;
    },
  };
}

export interface Seen {
  readonly request: HttpRequest;
  readonly key: IdempotencyKey | null;
}

type Run = (request: HttpRequest, key: IdempotencyKey | null) => Answer | Problem | Promise<Answer | Problem>;

const echo: Run = ({ params, query, headers, body }) => ({ status: 200, body: { params, query, headers, body } });

export const endpoint = (fields: Partial<Endpoint> & { reads?: Endpoint['reads'] }): Endpoint => ({
  workflow: 'echo',
  method: 'POST',
  path: '/echo',
  reads: new Set(['body']),
  idempotencyHeader: 'idempotency-key',
  run: echo,
  ...fields,
});

export interface Harness {
  readonly seen: Seen[];
  readonly logged: LogEntry[];
  readonly host: FakeHost;
  send(method: string, path: string, init?: RequestInit): Promise<Response>;
  /** Sends JSON text. */
  post(path: string, text: string, headers?: Record<string, string>): Promise<Response>;
}

/** A router over these endpoints that notes what each run was given. */
export function harness(endpoints: readonly Endpoint[], options: Partial<RouterOptions> = {}): Harness {
  const seen: Seen[] = [];
  const logged: LogEntry[] = [];
  const host = fakeHost();
  const noted = endpoints.map((each) => ({
    ...each,
    run: (request: HttpRequest, key: IdempotencyKey | null) => {
      seen.push({ request, key });
      return each.run(request, key);
    },
  }));
  const router = createRouter({ host, createPathRouter, endpoints: noted, log: (entry) => logged.push(entry), ...options });
  const send = async (method: string, path: string, init: RequestInit = {}) =>
    router.fetch(new Request(`http://localhost${path}`, { method, ...init }));
  return {
    seen,
    logged,
    host,
    send,
    post: (path, text, headers = {}) =>
      send('POST', path, { body: text, headers: { 'content-type': 'application/json', ...headers } }),
  };
}
