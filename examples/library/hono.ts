// Variables and a whole app inside a Hono app that is already there. Data: ./data
import { createApp, createHandler, defineApp, defineVariables, defineWorkflow } from 'cffbrw';
import { nodeHost, openReplica } from 'cffbrw/node';
import { Hono } from 'hono';

const variables = defineVariables({ hits: { strategy: 'sum-increments' } });
const hit = defineWorkflow(variables, {
  workflow: 'hit',
  on: { http: { method: 'POST', path: '/hit' } },
  steps: [{ add: 'hits' }, { respond: { body: { hits: '${ vars.hits }' } } }],
});
const replica = await openReplica({ variables });
const app = createApp(defineApp({ app: 'hits', variables, workflows: [hit] }));
const handler = createHandler({ app, replica, host: nodeHost });

const hono = new Hono();
hono.get('/mine', async (context) => context.text(`${await replica.variable('hits').get()} hits`));
hono.all('*', (context) => handler.fetch(context.req.raw));

console.log(await (await hono.request('/hit', { method: 'POST' })).text()); // → {"hits":1}
console.log(await (await hono.request('/mine')).text()); // → 1 hits
await replica.close();
