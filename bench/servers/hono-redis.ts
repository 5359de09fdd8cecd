/** Hono with the state in Redis: one script decides and counts atomically. As durable as the Redis that REDIS_PORT names. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createClient, defineScript } from 'redis';
import { ready, type Spin, stock } from './answer.ts';

const spin = defineScript({
  NUMBER_OF_KEYS: 2,
  SCRIPT: `
    redis.call('INCR', KEYS[1])
    local left = tonumber(redis.call('GET', KEYS[2]))
    if left < 1 then return { 0, left } end
    return { 1, redis.call('DECR', KEYS[2]) }`,
  parseCommand(parser) {
    parser.pushKey('spins');
    parser.pushKey('stock');
  },
  transformReply: (reply: unknown) => reply as [number, number],
});

const redis = createClient({ socket: { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) }, scripts: { spin } });
await redis.connect();
await redis.set('stock', stock);

const app = new Hono();
app.get('/count', async (context) => context.json({ spins: Number(await redis.get('spins')) }));
app.post('/spin', async (context) => {
  const { user } = await context.req.json<Spin>();
  const [won, left] = await redis.spin();
  return context.json({ won: won === 1, user, left });
});

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port));
