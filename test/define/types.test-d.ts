// biome-ignore-all lint/suspicious/noThenProperty: the field of a document, which nobody awaits
/** What documents in TypeScript allow, and what they refuse. Compiled, never run; types.test.ts sees that each refusal is one. */
import { defineApp, defineVariables, defineWorkflow, type Steps } from '../../src/index.ts';

const variables = defineVariables({
  spins: { strategy: 'sum-increments', window: { every: 'day' } },
  views: { strategy: 'sum-increments', keyed: true },
  stock: { strategy: 'bounded-counter', initial: 10 },
  seats: { strategy: 'bounded-counter', keyed: true, initial: 2 },
  banner: { strategy: 'last-write-wins', initial: { title: 'Spin', odds: 0.5, open: true } },
  limit: { initial: 10 },
  mood: { schema: { enum: ['good', 'bad'] }, initial: 'good' },
  anything: {},
  profile: { strategy: 'merge-objects', keyed: true },
  cart: { strategy: 'merge-objects', initial: { owner: 'nobody', size: { wide: 1, high: 2 } } },
  bid: { strategy: 'max-value', keyed: true },
  lap: { strategy: 'min-value' },
});

const steps = (list: Steps<typeof variables>) => list;

// What is allowed: each verb, each field.
steps([
  { set: 'limit', value: 11, id: 'first', when: 'vars.limit < 11', ignore: { R1: 'only the operator does' } },
  { set: 'limit', value: '${ vars.limit + 1 }' },
  { set: 'banner', value: { title: 'Hello ${ request.body.user }', odds: '${ random() }', open: true } },
  { set: 'banner', value: '${ request.body }' },
  { set: 'mood', value: 'bad' },
  { set: 'anything', value: { any: [1, '${ now() }', null] } },
  { set: 'spins', value: 0 },
  { replace: 'cart', value: { owner: 'ann', size: { wide: 1, high: '${ 1 + 1 }' } } },
  { merge: 'cart', value: { size: { wide: 3 } } },
  { merge: 'profile', key: ['a', 1], value: { lastWin: '${ now() }' } },
  { raise: 'bid', key: '${ request.params.lot }', value: '${ request.body.offer }', with: { user: 'ann' }, as: 'offer' },
  { lower: 'lap', value: 61.5, as: 'best' },
  { add: 'spins' },
  { add: 'views', key: 'home', amount: 2 },
  { mint: 'stock', amount: '${ request.body.amount }' },
  { burn: 'seats', key: 1 },
  { unset: 'limit' },
  { unset: 'cart', path: 'size.wide' },
  { reset: 'bid', key: 'a' },
  { take: 'stock', once: '${ request.body.user }', hold: '10m', timeout: '${ vars.limit + "s" }', as: 'unit' },
  { take: 'seats', key: 'a', strong: true, when: true },
  {
    take: [
      { take: 'stock', amount: 2 },
      { take: 'seats', each: '${ request.body.seats }', item: 'seat', key: '${ seat }' },
    ],
  },
  { give: 'stock', receipt: '${ unit.receipt }', as: 'given' },
  { confirm: ['stock', 'seats'], receipt: '${ unit.receipt }' },
  { get: 'spins', window: 'previous', as: 'yesterday' },
  { get: 'views', key: 'home', as: 'home' },
  { keys: 'profile', prefix: 'a', after: '${ request.query.after }', limit: 10, as: 'names' },
  { let: { total: '${ 1 + 1 }', list: [1, 2] } },
  { if: 'vars.banner.open', then: [{ add: 'spins' }], else: [{ fail: { status: 409, type: 'closed', title: 'Closed' } }] },
  { switch: [{ when: 'true', do: [{ add: 'spins' }] }], default: [{ return: null }] },
  { each: '${ request.body.items }', item: 'one', do: [{ return: '${ one }' }], concurrency: 2, max: 10, as: 'all' },
  { parallel: { a: [{ return: 1 }], b: [{ wait: '10ms' }] }, settle: 'first', as: 'both' },
  { http: 'https://example.com', method: 'POST', headers: { a: 'b' }, body: {}, timeout: '1s', accept: [200], idempotent: true },
  { call: 'greet', with: { name: 'ann' }, as: 'greeting' },
  {
    try: [{ add: 'spins' }],
    retry: { attempts: 2, delay: '100ms', backoff: 1, max: '1s', on: [503, '5xx', 'UNREACHABLE'] },
    catch: { as: 'error', do: [{ log: { level: 'warn', message: '${ error.message }', data: 1 } }] },
    finally: [{ add: 'views', key: 'tried' }],
  },
  { respond: { status: 201, headers: { a: 1 }, body: { won: true }, continue: true } },
]);

const workflow = defineWorkflow(variables, {
  workflow: 'w',
  on: { http: { method: 'POST', path: '/w', body: { type: 'object' } }, call: {} },
  steps: [{ add: 'spins' }],
});
defineApp({ app: 'a', variables, workflows: [workflow], events: { path: '/events', variables: ['spins'] }, secrets: ['KEY'] });

// What is refused. One per line: the test takes each of these marks away, and sees that the next line does not compile.
// @ts-expect-error there is no such variable
steps([{ add: 'spin' }]);
// @ts-expect-error a bounded counter has no add
steps([{ add: 'stock' }]);
// @ts-expect-error a last-write-wins value has no add
steps([{ add: 'limit' }]);
// @ts-expect-error a sum has no merge
steps([{ merge: 'spins', value: {} }]);
// @ts-expect-error a sum can't be taken from
steps([{ take: 'spins', as: 'unit' }]);
// @ts-expect-error a bounded counter can't be set
steps([{ set: 'stock', value: 10 }]);
// @ts-expect-error a maximum is not lowered
steps([{ lower: 'bid', key: 'a', value: 1 }]);
// @ts-expect-error last-write-wins has no reset
steps([{ reset: 'limit' }]);
// @ts-expect-error only bounded counters are minted
steps([{ mint: 'spins' }]);
// @ts-expect-error only takes are given back
steps([{ give: 'spins', receipt: 'x' }]);
// @ts-expect-error not keyed, so it has no keys
steps([{ keys: 'spins' }]);
// @ts-expect-error keyed, and no key
steps([{ add: 'views' }]);
// @ts-expect-error keyed, and no key: get
steps([{ get: 'profile', as: 'p' }]);
// @ts-expect-error keyed, and no key: take
steps([{ take: 'seats', as: 'seat' }]);
// @ts-expect-error keyed, and no key in a list of takes
steps([{ take: [{ take: 'seats' }] }]);
// @ts-expect-error keyed, and no key: merge
steps([{ merge: 'profile', value: { a: 1 } }]);
// @ts-expect-error not keyed, and a key
steps([{ add: 'spins', key: 'a' }]);
// @ts-expect-error a key is no object
steps([{ add: 'views', key: { id: 1 } }]);
// @ts-expect-error a key is not null
steps([{ add: 'views', key: null }]);
// @ts-expect-error a wrong literal: 10 is a number
steps([{ set: 'limit', value: 'eleven' }]);
// @ts-expect-error a wrong literal: the text around an expression makes it text
steps([{ set: 'limit', value: 'it is ${ 1 }' }]);
// @ts-expect-error a wrong literal: true or false
steps([{ set: 'banner', value: { title: 'x', odds: 1, open: 'yes' } }]);
// @ts-expect-error a field is missing
steps([{ set: 'banner', value: { title: 'x' } }]);
// @ts-expect-error a field that nothing knows
steps([{ merge: 'cart', value: { ower: 'ann' } }]);
// @ts-expect-error a wrong literal in an object within an object
steps([{ merge: 'cart', value: { size: { wide: 'very' } } }]);
// @ts-expect-error the schema wins over the initial value
steps([{ set: 'mood', value: 'so-so' }]);
// @ts-expect-error a sum is set to a number
steps([{ set: 'spins', value: '0' }]);
// @ts-expect-error an offer is a number
steps([{ raise: 'bid', key: 'a', value: 'high' }]);
// @ts-expect-error an amount is a number
steps([{ add: 'spins', amount: '2' }]);
// @ts-expect-error no value
steps([{ set: 'limit' }]);
// @ts-expect-error there is no such verb
steps([{ increment: 'spins' }]);
// @ts-expect-error two verbs
steps([{ add: 'spins', unset: 'limit' }]);
// @ts-expect-error a field of another verb
steps([{ add: 'spins', receipt: 'x' }]);
// @ts-expect-error add yields nothing
steps([{ add: 'spins', as: 'x' }]);
// @ts-expect-error once does not stand beside a list of takes
steps([{ take: [{ take: 'stock' }], once: 'ann' }]);
// @ts-expect-error it has no windows
steps([{ get: 'limit', window: 'previous' }]);
// @ts-expect-error what is unset must be named
steps([{ unset: 'cart' }]);
// @ts-expect-error it is unset as a whole
steps([{ unset: 'limit', path: 'a' }]);
// @ts-expect-error no duration
steps([{ wait: 'a while' }]);
// @ts-expect-error no duration: its unit is missing
steps([{ take: 'stock', hold: '10' }]);
// @ts-expect-error no duration: retry
steps([{ try: [{ add: 'spins' }], retry: { delay: 'soon' } }]);
// @ts-expect-error inside then
steps([{ if: 'true', then: [{ add: 'stock' }] }]);
// @ts-expect-error inside else
steps([{ if: 'true', then: [{ add: 'spins' }], else: [{ add: 'views' }] }]);
// @ts-expect-error inside switch
steps([{ switch: [{ when: 'true', do: [{ set: 'limit', value: 'x' }] }] }]);
// @ts-expect-error inside each
steps([{ each: [1], item: 'i', do: [{ add: 'nothing' }] }]);
// @ts-expect-error inside a branch
steps([{ parallel: { a: [{ take: 'spins' }] } }]);
// @ts-expect-error inside catch
steps([{ try: [{ add: 'spins' }], catch: { do: [{ add: 'stock' }] } }]);
// @ts-expect-error a status is a number
steps([{ respond: { status: '201' } }]);
// @ts-expect-error a problem has a title
steps([{ fail: { status: 409, type: 'closed' } }]);
// @ts-expect-error no such level
steps([{ log: { level: 'fatal', message: 'x' } }]);
// @ts-expect-error a condition is no number
steps([{ add: 'spins', when: 1 }]);
// @ts-expect-error no such method
defineWorkflow(variables, { workflow: 'w', on: { http: { method: 'FETCH', path: '/' } }, steps: [{ add: 'spins' }] });
// @ts-expect-error a step of a workflow
defineWorkflow(variables, { workflow: 'w', on: { call: {} }, steps: [{ add: 'stock' }] });
// @ts-expect-error no such setting
defineApp({ app: 'a', variables, workflows: [workflow], statc: 'public' });
// @ts-expect-error a stream of a variable that there is not
defineApp({ app: 'a', variables, workflows: [workflow], events: { path: '/events', variables: ['spin'] } });
// @ts-expect-error there is no such strategy
defineVariables({ x: { strategy: 'sum' } });
// @ts-expect-error an initial value that does not fit the strategy
defineVariables({ x: { strategy: 'bounded-counter', initial: 'ten' } });
// @ts-expect-error an initial value that does not fit the schema
defineVariables({ x: { initial: 'ten', schema: { type: 'integer' } } });
// @ts-expect-error an option that the strategy has not
defineVariables({ x: { strategy: 'bounded-counter', schema: true } });
// @ts-expect-error no such period
defineVariables({ x: { strategy: 'sum-increments', window: { every: 'year' } } });
