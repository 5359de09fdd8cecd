/**
 * The apps of the swarm: variables of every strategy, their options drawn from a number, and a workflow for each thing that a user may ask.
 * A few dozen apps, compiled once each.
 */
import { type App, createApp } from '../../app.ts';
import type { Declaration } from '../../strategy/index.ts';
import { createRandom, type Random } from '../random.ts';

export interface SwarmApp {
  readonly app: App;
  /** The same app as a machine declares it that was deployed with other options. */
  readonly other: App;
}

export const appCount = 24;
const apps = new Map<number, SwarmApp>();

export function swarmApp(number: number): SwarmApp {
  const known = apps.get(number);
  if (known !== undefined) return known;
  const variables = drawVariables(createRandom(`swarm app ${number}`));
  const made = { app: compile(variables), other: compile(declaredElsewhere(variables)) };
  apps.set(number, made);
  return made;
}

type Variables = Readonly<Record<string, Declaration>>;

function drawVariables(random: Random): Variables {
  const keyed = (): { keyed?: true } => (random.chance(0.4) ? { keyed: true } : {});
  const window = { every: random.pick(['hour', 'day'] as const), timezone: random.pick(['UTC', 'Asia/Ho_Chi_Minh']) };
  const stock = () => random.pick([0, 1, 2, 3, 5, 10]);
  return {
    count: { strategy: 'sum-increments', ...keyed() },
    hits: { strategy: 'sum-increments' },
    visits: { strategy: 'sum-increments', window },
    runs: { strategy: 'sum-increments' },
    flag: { strategy: 'last-write-wins', initial: 0, ...keyed() },
    profile: { strategy: 'merge-objects', ...keyed() },
    best: { strategy: 'max-value', ...keyed() },
    least: { strategy: 'min-value' },
    stock: { strategy: 'bounded-counter', initial: stock() },
    other: { strategy: 'bounded-counter', initial: stock(), ...keyed() },
    pass: { strategy: 'bounded-counter', initial: random.pick([1, 2, 5, 10]) },
    seats: { strategy: 'bounded-counter', initial: stock(), window },
  };
}

/** Another bound of a counter that nobody sells by it, and another strategy: their own addresses, joined with nobody's. */
const declaredElsewhere = (variables: Variables): Variables => ({
  ...variables,
  seats: { ...variables.seats, strategy: 'bounded-counter', initial: 3 },
  least: { strategy: 'last-write-wins', initial: 0 },
});

function compile(variables: Variables): App {
  const keyOf = (name: string) => (variables[name]?.keyed === true ? { key: `\${ request.body.key }` } : {});
  const done = { respond: { body: { ok: true } } };
  const taken = {
    respond: {
      body: {
        ...{ ok: `\${ grant.ok }`, reason: `\${ grant.reason }`, receipt: `\${ grant.receipt }` },
        ...{ repeated: `\${ grant.repeated }`, confirmed: `\${ grant.confirmed }` },
      },
    },
  };
  const settled = { respond: { body: { ok: `\${ done.ok }`, reason: `\${ done.reason }`, repeated: `\${ done.repeated }` } } };
  const n = `\${ request.body.n }`;
  const receipt = `\${ request.body.text }`;
  return createApp([
    { cffbrw: 1, app: 'swarm', variables },
    workflow('add', [{ add: 'count', amount: n, ...keyOf('count') }, done]),
    workflow('visit', [{ add: 'visits', amount: n }, done]),
    workflow('set', [{ set: 'flag', value: n, ...keyOf('flag') }, done]),
    workflow('raise', [{ raise: 'best', value: n, ...keyOf('best') }, done]),
    workflow('merge', [
      { merge: 'profile', value: `\${ fromEntries([[request.body.text, request.body.n]]) }`, ...keyOf('profile') },
      done,
    ]),
    workflow('take', [{ take: 'stock', amount: n, timeout: '300ms', as: 'grant' }, taken]),
    workflow('once', [{ take: 'pass', once: receipt, timeout: '500ms', as: 'grant' }, taken]),
    workflow('give', [{ give: 'stock', receipt, as: 'done' }, settled]),
    workflow('confirm', [{ confirm: 'stock', receipt, as: 'done' }, settled]),
    workflow(
      'keyed',
      [
        { take: 'stock', timeout: '200ms', as: 'grant' },
        { add: 'runs' },
        {
          respond: {
            body: { ok: `\${ grant.ok }`, reason: `\${ grant.reason }`, receipt: `\${ grant.receipt }`, drawn: `\${ random() }` },
          },
        },
      ],
      { idempotency: {} },
    ),
  ]);
}

const properties = { n: { type: 'integer' }, key: { type: 'string' }, text: { type: 'string' } };
const body = { type: 'object', required: ['n', 'key', 'text'], properties };

const workflow = (name: string, steps: readonly unknown[], http: object = {}): unknown => ({
  ...{ cffbrw: 1, workflow: name, steps },
  on: { http: { method: 'POST', path: `/${name}`, body, ...http } },
});
