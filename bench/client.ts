/**
 * The load of the HTTP benchmark, in a process of its own: keep-alive connections, one request at a time on each, every request another
 * user. It checks every answer and waits for the last one, so that what was acknowledged can be compared with what the server counted.
 *
 * autocannon and its like cost as much per request as the server does, and cut off what is under way at the end; on two cores both would
 * show in the figures. This one sends prepared bytes and reads the head of an answer only as far as it has to.
 */
import { connect, type Socket } from 'node:net';

export interface Load {
  /** The servers: connections are dealt out to them in turns. */
  readonly ports: readonly number[];
  readonly path: string;
  readonly durationMs: number;
  readonly connections: number;
  /** Requests per second in all, evenly spaced. Default: each connection sends again at once. */
  readonly perSecond?: number;
  /** What every answer says. */
  readonly won: boolean;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
  /** The first answer that was not the right one. */
  readonly wrong: string | null;
  /** How busy this process was, from 0 to 1. */
  readonly busy: number;
}

interface Tally {
  readonly load: Load;
  /** Between two requests of one connection; 0: none. */
  readonly intervalMs: number;
  readonly endsAt: number;
  readonly latencies: Float64Array;
  open: number;
  answered: number;
  inTime: number;
  wrong: string | null;
  readonly done: () => void;
}

const latencySlots = 1 << 20;
const userDigits = 9;
let users = 0;

const nextUser = (): string => {
  users += 1;
  return `u${String(users).padStart(userDigits, '0')}`;
};

const headOf = (path: string, port: number): string =>
  [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${'{"user":""}'.length + 1 + userDigits}`,
    '\r\n',
  ].join('\r\n');

const contentLength = /\r\ncontent-length: (\d+)/i;

/** The body, when all of the answer is there. */
function bodyOf(answer: string): string | null {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const length = contentLength.exec(answer);
  if (length === null || length.index > headEnd) throw new Error('an answer without content-length');
  const body = answer.slice(headEnd + 4);
  return body.length < Number(length[1]) ? null : body;
}

function run(tally: Tally, number: number): void {
  const { load, latencies, intervalMs } = tally;
  const port = load.ports[number % load.ports.length] ?? 0;
  const head = headOf(load.path, port);
  let dueAt = performance.now() + (intervalMs * number) / load.connections;
  let user = '';
  let sentAt = 0;
  let received = '';
  const socket: Socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(16_384),
      callback(count, buffer) {
        const chunk = (buffer as Buffer).toString('latin1', 0, count);
        receive(received === '' ? chunk : received + chunk);
        return true;
      },
    },
  });

  /** A request that is late because the answer before it was, waits since it was due; one that a timer sends late, does not. */
  function sendWhenDue(now: number): void {
    dueAt = intervalMs === 0 ? now : dueAt + intervalMs;
    if (dueAt <= now) send(dueAt);
    else setTimeout(() => send(performance.now()), dueAt - now);
  }

  function send(now: number): void {
    user = nextUser();
    received = '';
    sentAt = now;
    socket.write(`${head}{"user":"${user}"}`, 'latin1');
  }

  function receive(answer: string): void {
    received = answer;
    const body = bodyOf(answer);
    if (body === null) return;
    const now = performance.now();
    if (!answer.startsWith('HTTP/1.1 200') || !body.startsWith(`{"won":${load.won},"user":"${user}","left":`))
      tally.wrong ??= answer;
    latencies[tally.answered % latencySlots] = now - sentAt;
    tally.answered += 1;
    if (now < tally.endsAt) {
      tally.inTime += 1;
      sendWhenDue(now);
    } else {
      socket.end();
    }
  }

  socket.on('connect', () => sendWhenDue(performance.now()));
  socket.on('error', (error) => {
    tally.wrong ??= error.message;
  });
  socket.on('close', () => {
    tally.open -= 1;
    if (tally.open === 0) tally.done();
  });
}

export async function runLoad(load: Load): Promise<LoadResult> {
  const latencies = new Float64Array(latencySlots);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const tally = await new Promise<Tally>((resolve) => {
    const all: Tally = {
      ...{ load, latencies, endsAt: start + load.durationMs },
      intervalMs: load.perSecond === undefined ? 0 : (load.connections / load.perSecond) * 1000,
      ...{ open: load.connections, answered: 0, inTime: 0, wrong: null },
      done: () => resolve(all),
    };
    for (let connection = 0; connection < load.connections; connection += 1) run(all, connection);
  });
  const { user, system } = process.cpuUsage(cpu);
  const busy = (user + system) / 1000 / (performance.now() - start);
  const sorted = latencies.subarray(0, Math.min(tally.answered, latencySlots)).sort();
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return {
    requestsPerSecond: (tally.inTime / load.durationMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    answered: tally.answered,
    wrong: tally.wrong,
    busy,
  };
}

if (process.send !== undefined) {
  process.on('message', async (load: Load) => process.send?.(await runLoad(load)));
}
