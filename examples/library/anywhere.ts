// Without Node.js: two replicas over stores in memory, joined in one process. What a platform gives is asked of a host.
import { createLoopback } from 'cffbrw/backbone';
import { nodeHost } from 'cffbrw/node';
import { openReplica } from 'cffbrw/replica';
import { memoryStore } from 'cffbrw/store';

const host = nodeHost; // now, random, after, fetch: write your own in a few lines
const backbone = createLoopback({ host });
const variables = { likes: { strategy: 'sum-increments' } } as const;
const open = (name: string) => openReplica({ name, variables, host, store: memoryStore(), backbone: backbone.connect(name) });
const [hanoi, paris] = await Promise.all([open('hanoi'), open('paris')]);
const seen = new Promise((resolve) => paris.variable('likes').watch(({ value }) => value === 2 && resolve(value)));
await Promise.all([hanoi.variable('likes').add(1), paris.variable('likes').add(1)]);
await Promise.all([hanoi.sync(), paris.sync()]);
console.log(await seen); // → 2
await Promise.all([hanoi.close(), paris.close()]);
await backbone.close();
