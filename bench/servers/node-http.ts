/** Bare `node:http`: parses the JSON, decides in memory, answers the JSON. Nothing is durable. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ready, type Spin, type SpinAnswer, stock } from './answer.ts';

let left = stock;
let spins = 0;

function decide({ user }: Spin): SpinAnswer {
  spins += 1;
  if (left < 1) return { won: false, user, left };
  left -= 1;
  return { won: true, user, left };
}

function answer(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/count') {
    answer(response, { spins });
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(response, decide(JSON.parse(Buffer.concat(chunks).toString()) as Spin)));
}

const server = createServer(handle);
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port));
