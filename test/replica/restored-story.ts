/**
 * One random history around a backbone that is set back or emptied, noticed, and adopted by each replica when it pleases. Against the one-line
 * model: what was acknowledged is live until it was given back, and never more is live than there was; a key has one live grant; a receipt is
 * settled once; and when all have adopted, all that is left can be sold.
 */
import { CffbrwError } from '../../src/error.ts';
import type { Replica, TakeOptions, TakeResult } from '../../src/replica/index.ts';
import type { World } from '../../src/simulate/host.ts';
import { createWorld } from '../simulate/world.ts';
import { type Cluster, createCluster } from './cluster.ts';

const initial = 8;
const counters = ['stock', 'rare'] as const;
type Counter = (typeof counters)[number];
const variables = {
  stock: { strategy: 'bounded-counter', initial },
  rare: { strategy: 'bounded-counter', initial },
} as const;
const keys = ['ann', 'bob', 'cid'];

interface Granted {
  readonly text: string;
  readonly counter: Counter;
  readonly once: string | null;
  /** What was answered ok about it. */
  settled: 'give' | 'confirm' | null;
  /** It was asked for, and the answer never came: it may be over or not. */
  unsure: boolean;
}

export interface Story {
  readonly world: World;
  readonly cluster: Cluster;
  readonly names: readonly string[];
  readonly trace: string[];
  readonly granted: Map<string, Granted>;
  /** Takes of which nobody learnt the outcome, by counter. */
  readonly unknown: Record<Counter, number>;
  /** The first thing that is wrong. */
  violation: string | null;
  /** Replicas that have learnt that they must adopt. */
  readonly adopting: Set<string>;
}

const note = ({ world, trace }: Story, text: string) => void trace.push(`${world.elapsedMs.toFixed(1).padStart(9)} ${text}`);

function demand(story: Story, holds: boolean, what: string): void {
  if (holds || story.violation !== null) return;
  story.violation = what;
  note(story, `VIOLATION ${what}`);
}

const idOf = (text: string): string => text.slice(0, 32);
const isDead = ({ settled, unsure }: Granted): boolean => settled === 'give' || unsure;

function checkStock(story: Story, counter: Counter): void {
  let live = 0;
  for (const receipt of story.granted.values()) if (receipt.counter === counter && !isDead(receipt)) live += 1;
  demand(story, live <= initial, `${live} units of ${counter} are out, of ${initial}`);
}

function start(story: Story, name: string): void {
  const adopt = story.adopting.has(name);
  note(story, `${name} starts${adopt ? ' and adopts' : ''}`);
  story.cluster.start(name, { adopt, contactMs: 200 }).catch((error: unknown) => note(story, `${name} did not open: ${error}`));
}

function act(story: Story): void {
  const { world, cluster, names } = story;
  const { random } = world;
  const name = random.pick(names);
  const machine = cluster.machine(name);
  const draw = random.integer(0, 99);
  if (machine.process?.alive !== true) {
    if (draw < 40) start(story, name);
  } else if (draw < 4) {
    note(story, `${name} dies`);
    cluster.kill(name);
  } else if (draw < 6) cluster.loopback?.cut(name, 'both');
  else if (draw < 14) cluster.loopback?.heal(name);
  else if (machine.replica !== null) {
    if (draw < 70) take(story, name, machine.replica);
    else settle(story, name, machine.replica);
  }
}

function take(story: Story, name: string, replica: Replica): void {
  const { random } = story.world;
  const counter = random.chance(0.75) ? 'stock' : 'rare';
  const once = random.chance(0.6) ? random.pick(keys) : null;
  const options: TakeOptions = {
    timeoutMs: random.pick([50, 300, 1_000]),
    ...(once === null ? {} : { once }),
    ...(random.chance(0.1) ? { strong: true } : {}),
  };
  const text = `${name} takes ${counter} ${JSON.stringify(options)}`;
  note(story, text);
  story.unknown[counter] += 1;
  replica
    .variable(counter)
    .take(1, options)
    .then(
      (result) => {
        note(story, `  ${result.ok ? 'ok' : result.reason} ${result.repeated} ${result.receipt?.slice(0, 8)} <- ${text}`);
        if (result.ok || result.reason !== 'unreachable') story.unknown[counter] -= 1;
        answered(story, counter, once, result);
      },
      (error: unknown) => {
        note(story, `  ${error} <- ${text}`);
        if (!(error instanceof CffbrwError)) demand(story, false, String(error));
      },
    );
}

function answered(story: Story, counter: Counter, once: string | null, result: TakeResult): void {
  if (!result.ok || result.receipt === null) return;
  const id = idOf(result.receipt);
  const known = story.granted.get(id);
  if (known !== undefined) {
    demand(story, result.repeated, `the receipt ${id} was granted twice`);
    return;
  }
  for (const other of story.granted.values()) {
    if (once === null || other.once !== once || other.counter !== counter) continue;
    demand(story, isDead(other), `${counter}/${once} has two live grants: ${idOf(other.text)} and ${id}`);
  }
  story.granted.set(id, { text: result.receipt, counter, once, settled: null, unsure: false });
  checkStock(story, counter);
}

function settle(story: Story, name: string, replica: Replica): void {
  const { random } = story.world;
  const known = [...story.granted.values()];
  if (known.length === 0) return;
  const receipt = random.pick(known);
  const asked = random.pick(['give', 'give', 'confirm'] as const);
  const before = receipt.settled;
  const text = `${name} ${asked} ${receipt.text.slice(0, 8)}`;
  note(story, text);
  const wasUnsure = receipt.unsure;
  if (asked === 'give') receipt.unsure = true;
  replica
    .variable(receipt.counter)
    [asked](receipt.text)
    .then(
      ({ ok, reason, repeated }) => {
        note(story, `  ${ok ? `ok ${repeated}` : reason} <- ${text}`);
        if (!ok && reason !== 'unreachable' && asked === 'give') receipt.unsure = wasUnsure;
        if (!ok) {
          // A receipt of which one thing was answered is never called anything else.
          const said = { given: 'give', confirmed: 'confirm' }[reason as 'given' | 'confirmed'] ?? null;
          demand(
            story,
            said === null || before === null || said === before,
            `${idOf(receipt.text)} was ${before}, now ${reason}`,
          );
          demand(story, reason !== 'unknown', `${idOf(receipt.text)} is not known any more`);
          return;
        }
        demand(
          story,
          receipt.settled === null || receipt.settled === asked,
          `${idOf(receipt.text)}: ${receipt.settled}, then ${asked}`,
        );
        demand(story, repeated || before === null, `${idOf(receipt.text)}: ${asked} is done a second time`);
        receipt.settled = asked;
        if (asked === 'give') receipt.unsure = false;
        if (asked === 'confirm') receipt.unsure = wasUnsure && receipt.unsure;
      },
      (error: unknown) => note(story, `  ${error} <- ${text}`),
    );
}

/** The loss: what the backbone held a while ago, or nothing. Some are running then, some are not. */
async function lose(story: Story, backup: Awaited<ReturnType<typeof snapshot>>): Promise<void> {
  const { world, cluster, names } = story;
  note(story, backup === null ? 'the backbone is emptied' : 'the backbone is set back');
  const { loopback } = cluster;
  if (loopback === null) return;
  await world.runUntil(backup === null ? loopback.empty() : loopback.restore(backup));
  for (let i = 0; i < world.random.integer(0, 20); i += 1) await step(story);
  // Each is told to adopt at a time of its own, and restarted with it.
  for (const name of [...names].sort(() => world.random.next() - 0.5)) {
    story.adopting.add(name);
    cluster.kill(name);
    if (world.random.chance(0.7)) start(story, name);
    for (let i = 0; i < world.random.integer(0, 30); i += 1) await step(story);
  }
}

async function step(story: Story): Promise<void> {
  await story.world.run(story.world.random.next() * 80);
  act(story);
}

const snapshot = ({ cluster, world }: Story) =>
  cluster.loopback === null ? Promise.resolve(null) : world.runUntil(cluster.loopback.snapshot());

export interface Told {
  readonly violation: string | null;
  readonly trace: readonly string[];
  readonly grants: number;
}

export async function tellRestored(seed: string | number): Promise<Told> {
  const world = createWorld(`restored/${seed}`);
  const story: Story = {
    ...{ world, trace: [], granted: new Map(), unknown: { stock: 0, rare: 0 }, violation: null },
    cluster: createCluster({ world, variables, loopback: { lagMs: 20, rttMs: 6, jitterMs: 10, timeoutMs: 200, retryMs: 50 } }),
    names: Array.from({ length: world.random.integer(2, 3) }, (_, index) => `r${index}`),
    adopting: new Set(),
  };
  for (const name of story.names) start(story, name);
  // Who never heard of anybody cannot know whom to wait for: everybody has met before anything goes wrong.
  await world.run(1_000);
  for (let i = 0; i < world.random.integer(10, 40); i += 1) await step(story);
  const backup = world.random.chance(0.5) ? await snapshot(story) : null;
  for (let i = 0; i < world.random.integer(5, 40); i += 1) await step(story);
  await lose(story, backup);
  for (let i = 0; i < 30; i += 1) await step(story);
  await rest(story);
  return { violation: story.violation, trace: story.trace, grants: story.granted.size };
}

/** All is healed: keys answer with the grants that are live, and what is left can be sold. */
async function rest(story: Story): Promise<void> {
  const { world, cluster, names } = story;
  note(story, 'everything is healed');
  cluster.loopback?.heal();
  const replicas: Replica[] = [];
  for (const name of names) {
    cluster.kill(name);
    replicas.push(await world.runUntil(cluster.start(name, { adopt: story.adopting.has(name), contactMs: 200 })));
  }
  await world.run(20_000);
  for (const counter of counters) {
    for (const key of keys) await askAgain(story, counter, key, replicas);
    await sellOut(story, counter, replicas);
  }
}

async function askAgain(story: Story, counter: Counter, key: string, replicas: readonly Replica[]): Promise<void> {
  const live = [...story.granted.values()].find(
    (receipt) => receipt.counter === counter && receipt.once === key && !isDead(receipt),
  );
  if (live === undefined) return;
  const replica = story.world.random.pick(replicas);
  const result = await story.world.runUntil(replica.variable(counter).take(1, { once: key }));
  note(story, `${replica.id} asks for ${counter}/${key} again: ${result.ok} ${result.reason} ${result.receipt?.slice(0, 8)}`);
  demand(
    story,
    result.ok && result.receipt === live.text,
    `${counter}/${key} was granted as ${idOf(live.text)}, now ${result.receipt}`,
  );
}

async function sellOut(story: Story, counter: Counter, replicas: readonly Replica[]): Promise<void> {
  for (let asked = 0; asked < initial * 2; asked += 1) {
    const replica = replicas[asked % replicas.length] as Replica;
    const result = await story.world.runUntil(replica.variable(counter).take(1));
    note(story, `${replica.id} sells ${counter}: ${result.ok} ${result.reason}`);
    if (result.ok) answered(story, counter, null, result);
    if (result.reason === 'recovering') demand(story, false, `${counter} is still recovering`);
  }
  const out = [...story.granted.values()].filter((receipt) => receipt.counter === counter && receipt.settled !== 'give').length;
  const unknown = story.unknown[counter];
  demand(
    story,
    out + unknown >= initial,
    `${out} units of ${counter} are out and ${unknown} may be: the rest of ${initial} is stranded`,
  );
}
