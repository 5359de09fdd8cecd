/** Bare Hono: parses the JSON, decides in memory, answers the JSON. Nothing is durable. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { ready, type Spin, stock } from './answer.ts';

let left = stock;
let spins = 0;

const app = new Hono();
app.get('/count', (context) => context.json({ spins }));
app.post('/spin', async (context) => {
  const { user } = await context.req.json<Spin>();
  spins += 1;
  if (left < 1) return context.json({ won: false, user, left });
  left -= 1;
  return context.json({ won: true, user, left });
});

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port));
