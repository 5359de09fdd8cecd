// A whole app in an Express app that is already there: before anything that reads bodies. Data: ./data
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createHandler, loadApp } from 'cffbrw';
import { nodeHost, openReplica, readDocuments } from 'cffbrw/node';
import express from 'express';

const app = loadApp(await readDocuments(`${import.meta.dirname}/wheel`));
const replica = await openReplica({ variables: app.variables });
const handler = createHandler({ app, replica, host: nodeHost });
const wheel = getRequestListener(handler.fetch);

const site = express();
site.use((request, response, next) => (request.path.startsWith('/wheel/') ? wheel(request, response) : next()));
site.use(express.json());
site.get('/', (_request, response) => void response.send('as before'));
const server = site.listen(0, '127.0.0.1');
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
