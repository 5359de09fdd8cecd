/** What the types of a replica allow, and what they refuse. Compiled, never run; test/define/types.test.ts sees that each refusal is one. */
import { createHandler } from '../../src/http/index.ts';
import type { App } from '../../src/index.ts';
import { nodeHost, openReplica } from '../../src/node/index.ts';
import type { Replica } from '../../src/replica/index.ts';
import type { Json } from '../../src/strategy/index.ts';

const replica = await openReplica({
  variables: {
    visits: { strategy: 'sum-increments' },
    stock: { strategy: 'bounded-counter', initial: 10 },
    banner: { strategy: 'last-write-wins', initial: { title: 'Spin', odds: 0.5, open: true, tags: [] } },
    limit: { initial: 10 },
    note: { initial: 'a' },
    anything: {},
    mood: { schema: { enum: ['good', 'bad'] }, initial: 'good' },
    level: { schema: { type: 'integer' } },
    profile: { strategy: 'merge-objects', keyed: true },
    cart: {
      strategy: 'merge-objects',
      schema: {
        type: 'object',
        required: ['owner'],
        properties: { owner: { type: 'string' }, items: { type: 'array', items: { type: 'integer' } } },
      },
    },
    best: { strategy: 'max-value', initial: 0 },
    lap: { strategy: 'min-value' },
  },
});

/** Compiles when both are the same type. */
function same<A, B>(..._proof: [A] extends [B] ? ([B] extends [A] ? [] : [never]) : [never]): void {}

// What is allowed: the types of the values.
const visits: number = await replica.variable('visits').get();
await replica.variable('visits').add();
await replica.variable('visits').set(visits + 1);
const { ok, receipt } = await replica.variable('stock').take(1, { once: 'ann' });
if (ok && receipt !== null) await replica.variable('stock').give(receipt);
const banner = await replica.variable('banner').get();
same<typeof banner.title, string>();
same<typeof banner.odds, number>();
same<typeof banner.tags, readonly Json[]>();
await replica.variable('banner').set({ ...banner, open: false });
same<Awaited<ReturnType<ReturnType<typeof limit>['get']>>, number>();
function limit() {
  return replica.variable('limit');
}
await limit().set(11);
await replica.variable('note').set('b');
await replica.variable('anything').set({ any: ['json', null] });
const mood = await replica.variable('mood').get();
same<typeof mood, 'good' | 'bad'>();
const level = await replica.variable('level').get();
same<typeof level, number | null>();
const profile = await replica.variable('profile').key('ann').get();
await replica.variable('profile').key(['ann', 1]).merge({ lastWin: 1 });
same<typeof profile, import('../../src/strategy/index.ts').JsonObject | null>();
await replica.variable('cart').merge({ items: [1] });
await replica.variable('cart').replace({ owner: 'ann' });
await replica.variable('cart').unset('items');
const cart = await replica.variable('cart').get();
const owner: string | undefined = cart?.owner;
const best = await replica.variable('best').get();
same<typeof best.value, number>();
const lap = await replica.variable('lap').get();
same<typeof lap.value, number | null>();
const opened = await replica.variable('visits').open();
same<typeof opened.value, number>();
replica.variable('banner').watch((change) => same<typeof change.value.title, string>());
await replica.keys('profile', { limit: 10 });
// A typed replica stands wherever a replica can.
const plain: Replica = replica;
declare const app: App;
createHandler({ app, replica, host: nodeHost });
// Declarations that are only known when running are not checked.
declare const declared: App['variables'];
const loose = await openReplica({ variables: declared });
await loose.variable('whatever').merge({ a: 1 });
void [plain, owner];

// What is refused. One per line: the test takes each of these marks away, and sees that the next line does not compile.
// @ts-expect-error there is no such variable
replica.variable('visit');
// @ts-expect-error a sum has no merge
await replica.variable('visits').merge({ a: 1 });
// @ts-expect-error a sum hands out no units
await replica.variable('visits').take(1);
// @ts-expect-error a sum adds numbers
await replica.variable('visits').add('1');
// @ts-expect-error a sum is set to a number
await replica.variable('visits').set('one');
// @ts-expect-error a bounded counter can't be set
await replica.variable('stock').set(10);
// @ts-expect-error a bounded counter has no add
await replica.variable('stock').add(1);
// @ts-expect-error 10 is a number
await replica.variable('limit').set('eleven');
// @ts-expect-error 'a' is a string
await replica.variable('note').set(1);
// @ts-expect-error a last-write-wins value has no add
await replica.variable('limit').add(1);
// @ts-expect-error the field is a boolean
await replica.variable('banner').set({ ...banner, open: 'no' });
// @ts-expect-error a field is missing
await replica.variable('banner').set({ title: 'x' });
// @ts-expect-error the schema wins over the initial value
await replica.variable('mood').set('so-so');
// @ts-expect-error an integer is no text
await replica.variable('level').set('high');
// @ts-expect-error never written, it is null
(await replica.variable('level').get()).toFixed(0);
// @ts-expect-error keyed: it can't be read before a key is named
await replica.variable('profile').get();
// @ts-expect-error keyed: it can't be written before a key is named
await replica.variable('profile').merge({ a: 1 });
// @ts-expect-error not keyed
replica.variable('visits').key('ann');
// @ts-expect-error a key is a string, an integer or a list of them
replica.variable('profile').key({ id: 1 });
// @ts-expect-error the schema's items are integers
await replica.variable('cart').merge({ items: ['x'] });
// @ts-expect-error the schema has no such field
await replica.variable('cart').merge({ itmes: [1] });
// @ts-expect-error the owner is required
await replica.variable('cart').replace({ items: [1] });
// @ts-expect-error what is unset must be named
await replica.variable('cart').unset();
// @ts-expect-error a maximum is raised, not lowered
await replica.variable('best').lower(1);
// @ts-expect-error an offer is a number
await replica.variable('best').raise('high');
// @ts-expect-error only an opened handle has its value at hand
replica.variable('visits').value;
// @ts-expect-error keys are those of a keyed variable
await replica.keys('visits', {});
// @ts-expect-error there is no such strategy
await openReplica({ variables: { x: { strategy: 'sum' } } });
// @ts-expect-error a sum starts at a number
await openReplica({ variables: { x: { strategy: 'sum-increments', initial: 'ten' } } });
// @ts-expect-error a bounded counter is always durable
await openReplica({ variables: { x: { strategy: 'bounded-counter', durability: 'relaxed' } } });
// @ts-expect-error only last-write-wins loses writes of several writers
await openReplica({ variables: { x: { strategy: 'sum-increments', writers: 'any' } } });
// @ts-expect-error a sum has no schema
await openReplica({ variables: { x: { strategy: 'sum-increments', schema: true } } });
// @ts-expect-error an initial value that breaks the schema
await openReplica({ variables: { x: { initial: 'x', schema: { type: 'integer' } } } });
// @ts-expect-error there is no such option
await openReplica({ variables: { x: { strategy: 'sum-increments', keyd: true } } });
