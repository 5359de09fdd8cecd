/** What users ask of variables that are no bounded counters, over both doors. */
import type { Replica } from '../../replica/index.ts';
import type { Json } from '../../strategy/index.ts';
import type { Machine } from '../cluster.ts';
import { askHandler, type Body } from './answers.ts';
import { fieldOf } from './model-fields.ts';
import type { Spot } from './oracle.ts';
import type { AskAction } from './plan.ts';
import { beginWrite, endWrite, inProcess, report, type Stage, spotAt, type Told } from './stage.ts';
import type { Removal, Write } from './writes.ts';

export const handleOf = (replica: Replica, { variable, key }: Spot) =>
  key === null ? replica.variable(variable) : replica.variable(variable).key(key);

export const keyOf = ({ key }: AskAction): string => `k${key}`;
const bodyOf = (action: AskAction, n: number): Body => ({ n, key: keyOf(action), text: fieldOf(action.id) });

type Handle = ReturnType<typeof handleOf>;

interface Request {
  readonly variable: string;
  readonly path: string | null;
  readonly n: number;
  readonly write: (handle: Handle) => Promise<void>;
}

/** Writes over the door of the action. */
function send(stage: Stage, machine: Machine, action: AskAction, { variable, path, n, write }: Request): Promise<Told<unknown>> {
  if (action.door === 'handler' && path !== null) return askHandler(stage, action, path, bodyOf(action, n));
  const spot = spotAt(stage, machine, variable, keyOf(action));
  return inProcess(stage, machine, (replica) => write(handleOf(replica, spot)));
}

export async function add(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const { amount } = action;
  const variable = action.ask === 'add' ? 'count' : action.ask === 'hit' ? 'hits' : 'visits';
  const spot = spotAt(stage, machine, variable, keyOf(action));
  const write = stage.oracle.sums.at(spot).add(beginWrite(stage, action), amount);
  const path = { count: '/add', hits: null, visits: '/visit' }[variable];
  const told = await send(stage, machine, action, { variable, path, n: amount, write: (handle) => handle.add(amount) });
  endWrite(stage, write, told);
  const then = spotAt(stage, machine, variable, keyOf(action));
  if (then.window === spot.window) return;
  // A window ended meanwhile: it may be in either.
  if (write.fate === 'acknowledged') write.fate = 'unknown';
  stage.oracle.sums.at(then).add({ ...write }, amount);
}

/** What was read right before, and whether the write was made in the same instant. */
async function readThen<T>(
  stage: Stage,
  machine: Machine,
  spot: Spot,
  then: (handle: Handle, value: Json, replica: Replica) => Promise<T>,
): Promise<Told<T>> {
  return inProcess(stage, machine, async (replica) => {
    const handle = handleOf(replica, spot);
    return then(handle, await handle.get(), replica);
  });
}

/** The instant at which a removal is made: nothing that comes later can have been seen. */
function applied(stage: Stage, removal: Removal, replica: Replica, { variable, key }: Spot): void {
  const address = replica.address(variable, key ?? undefined);
  if (replica.peek(address) !== undefined) removal.appliedMs = stage.world.elapsedMs;
}

const newRemoval = (write: Write): Removal => ({ ...write, appliedMs: Number.POSITIVE_INFINITY });

function endRemoval(stage: Stage, removal: Removal, told: Told<unknown>): void {
  endWrite(stage, removal, told);
  removal.appliedMs = Math.min(removal.appliedMs, removal.endMs);
}

export async function wipe(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const spot = spotAt(stage, machine, 'hits', keyOf(action));
  const removal = stage.oracle.sums.at(spot).wipe(newRemoval(beginWrite(stage, action)));
  const told = await readThen(stage, machine, spot, (handle, _, replica) => {
    applied(stage, removal, replica, spot);
    return handle.reset();
  });
  endRemoval(stage, removal, told);
}

export async function set(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const spot = spotAt(stage, machine, 'flag', keyOf(action));
  const model = stage.oracle.latest.at(spot);
  const write = beginWrite(stage, action);
  if (action.door === 'handler' && action.pick % 2 === 0) {
    // Nothing is known of what this one had seen.
    model.set(write, action.id, action.id);
    return endWrite(stage, write, await askHandler(stage, action, '/set', bodyOf(action, action.id)));
  }
  let made = write;
  const told = await readThen(stage, machine, spot, (handle, seen) => {
    made = model.set(write, action.id, seen as number);
    return handle.set(action.id);
  });
  endWrite(stage, made, told);
}

export async function merge(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const spot = spotAt(stage, machine, 'profile', keyOf(action));
  const field = fieldOf(action.id);
  const write = stage.oracle.fields.at(spot).merge(beginWrite(stage, action), field);
  const patch = { [field]: action.id };
  const request = { variable: 'profile', path: '/merge', n: action.id, write: (handle: Handle) => handle.merge(patch) };
  endWrite(stage, write, await send(stage, machine, action, request));
}

export async function drop(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const spot = spotAt(stage, machine, 'profile', keyOf(action));
  const begun = newRemoval(beginWrite(stage, action));
  let removal: Removal = begun;
  const told = await readThen(stage, machine, spot, (handle, value, replica) => {
    const seen = Object.keys((value ?? {}) as object);
    const field = action.pick % 3 === 0 ? null : (seen[action.pick % Math.max(1, seen.length)] ?? 'none');
    removal = stage.oracle.fields.at(spot).drop(Object.assign(begun, { field, seen: new Set(seen) }));
    applied(stage, removal, replica, spot);
    return field === null ? handle.reset() : handle.unset(`/${field}`);
  });
  endRemoval(stage, removal, told);
}

export async function offer(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const variable = action.ask === 'raise' ? 'best' : 'least';
  // Who declares another strategy offers nothing.
  if (variable === 'least' && machine.name === stage.plan.elsewhere) return;
  const value = variable === 'best' ? action.id + (action.pick % 5) : -action.id - (action.pick % 5);
  const spot = spotAt(stage, machine, variable, keyOf(action));
  const write = stage.oracle.extremes.at(spot).offer(beginWrite(stage, action), value);
  const request = {
    ...{ variable, n: value, path: variable === 'best' ? '/raise' : null },
    write: (handle: Handle) => (variable === 'best' ? handle.raise(value) : handle.lower(value)),
  };
  endWrite(stage, write, await send(stage, machine, action, request));
}

/** What somebody is shown is durable: it never goes back behind that. */
export async function read(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const variable = action.pick % 2 === 0 ? 'count' : 'best';
  // Mostly right after a write that is not durable yet.
  if (variable === 'count' && action.pick % 3 > 0) void add(stage, machine, { ...action, ask: 'add', door: 'replica' });
  const spot = spotAt(stage, machine, variable, keyOf(action));
  const write = beginWrite(stage, action);
  const told = await inProcess(stage, machine, (replica) => handleOf(replica, spot).get());
  endWrite(stage, write, told);
  if (told.kind !== 'answered') return;
  if (variable === 'count') stage.oracle.sums.at(spot).shown(write, told.value as number);
  else stage.oracle.extremes.at(spot).shown(write, (told.value as { value: number | null }).value);
}

const impossible: readonly ((replica: Replica, key: string) => Promise<unknown>)[] = [
  (replica) => replica.variable('hits').add(Number.NaN),
  (replica) => replica.variable('hits').add(0.5),
  (replica) => replica.variable('hits').add(2 ** 53),
  (replica) => replica.variable('hits').set(Number.POSITIVE_INFINITY),
  (replica) => replica.variable('stock').take(0),
  (replica) => replica.variable('stock').take(-1),
  (replica) => replica.variable('stock').mint(2 ** 53),
  (replica, key) => replica.variable('hits').merge({ [key]: 1 }),
  (replica, key) =>
    replica
      .variable('hits')
      .key(['', key].fill('x'.repeat(600)))
      .add(1),
];

/** What can never be done is refused, and changes nothing (the models know nothing of it). */
export async function refuse(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const ask = impossible[action.pick % impossible.length];
  if (ask === undefined) return;
  const told = await inProcess(stage, machine, (replica) => ask(replica, keyOf(action)));
  if (told.kind === 'answered') report(stage, 'C4', `what can't be done was answered with success: ${String(ask)}`);
}
