// A whole app behind node:http, in front of what the server already does. Data: ./data
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createHandler, loadApp } from 'cffbrw';
import { nodeHost, openReplica, readDocuments } from 'cffbrw/node';

const app = loadApp(await readDocuments(`${import.meta.dirname}/wheel`));
const replica = await openReplica({ variables: app.variables });
const handler = createHandler({ app, replica, host: nodeHost });
const wheel = getRequestListener(handler.fetch);
const server = createServer((request, response) => {
  if (request.url?.startsWith('/wheel/')) return void wheel(request, response);
  response.end('as before');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const spin = await fetch(`${base}/wheel/spin`, {
  method: 'POST',
  body: '{"user":"ann"}',
  headers: { 'content-type': 'application/json' },
});
console.log(Object.keys((await spin.json()) as object)[0]); // → won
console.log(await (await fetch(base)).text()); // → as before
handler.close();
server.close();
await replica.close();
