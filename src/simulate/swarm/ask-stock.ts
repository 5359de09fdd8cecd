/** What users ask of bounded counters, over both doors, and keyed runs. */
import type { Replica, SettleResult, TakeOptions, TakeResult } from '../../replica/index.ts';
import { windowAt } from '../../strategy/index.ts';
import type { Machine } from '../cluster.ts';
import { askHandler, type Body, type Reply } from './answers.ts';
import { handleOf, keyOf } from './ask-values.ts';
import type { Shelf } from './model-stock.ts';
import type { Spot } from './oracle.ts';
import type { AskAction } from './plan.ts';
import { beginWrite, inProcess, note, report, type Stage, spotAt, type Told } from './stage.ts';

interface Asked {
  readonly entries: readonly { readonly spot: Spot; readonly units: number }[];
  readonly options: TakeOptions;
}

const noText = { key: '', text: '' };

const shelfOf = ({ oracle }: Stage, spot: Spot): Shelf => oracle.shelves.at(spot);

export async function take(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const asked = askedOf(stage, machine, action);
  const only = asked.entries[0];
  const { options } = asked;
  const told: Told<Partial<TakeResult>> =
    action.door === 'handler' && action.ask === 'take'
      ? await askHandler(stage, action, '/take', { ...noText, n: only?.units ?? 1 })
      : action.door === 'handler' && action.ask === 'once'
        ? await askHandler(stage, action, '/once', { ...noText, n: 1, text: String(options.once) })
        : await inProcess(stage, machine, (replica) => takeAll(replica, asked));
  taken(stage, machine, asked, told);
}

async function takeAll(replica: Replica, { entries, options }: Asked): Promise<TakeResult> {
  const requests = entries.map(({ spot: { variable, key }, units }) => ({
    variable,
    amount: units,
    ...(key !== null && { key }),
  }));
  const result = await replica.take(requests, options);
  await replica.durable(result.commit);
  return result;
}

function askedOf(stage: Stage, machine: Machine, action: AskAction): Asked {
  const { ask, amount, pick } = action;
  const spotOf = (variable: string) => spotAt(stage, machine, variable, keyOf(action));
  const variable = ask === 'once' || ask === 'race' ? 'pass' : ask === 'seat' ? 'seats' : pick % 3 === 0 ? 'other' : 'stock';
  const over = action.door === 'handler' && ask === 'take';
  const entries = [{ spot: spotOf(over ? 'stock' : variable), units: variable === 'pass' ? 1 : amount }];
  if (ask === 'list') entries.push({ spot: spotOf('pass'), units: 1 });
  const timeoutMs = [20, 100, 300, 800][pick % 4] as number;
  const once = ask === 'race' ? 'race' : ask === 'once' ? `user${pick % 3}` : null;
  return {
    entries,
    options: {
      timeoutMs,
      ...(ask === 'hold' || (once !== null && pick % 7 === 0 && action.door === 'replica')
        ? { holdMs: 50 + (pick % 1_000) }
        : {}),
      ...(once === null ? {} : { once }),
      ...(ask === 'strong' ? { strong: true } : {}),
    },
  };
}

function taken(stage: Stage, machine: Machine, { entries, options }: Asked, told: Told<Partial<TakeResult>>): void {
  const { oracle, counts } = stage;
  const result = told.kind === 'answered' ? told.value : null;
  if (told.kind === 'unknown' || result?.reason === 'unreachable') {
    counts.unknown += 1;
    for (const { spot, units } of entries) shelfOf(stage, spot).unknown += units;
    return;
  }
  if (result === null || result.ok !== true || typeof result.receipt !== 'string') {
    counts.refused += 1;
    return;
  }
  counts.acknowledged += 1;
  const { receipt, windowEnds, repeated = false } = result;
  note(stage, `   granted ${receipt.slice(0, 8)}${repeated ? ' again' : ''} by ${machine.name}`);
  const problem = oracle.stock.granted(
    {
      receipt,
      machine: machine.name,
      entries: entries.map(({ spot, units }) => ({ shelf: shelfOf(stage, inWindow(stage, spot, windowEnds)), units })),
      once: options.once === undefined ? null : String(options.once),
      hold: options.holdMs !== undefined || repeated,
    },
    repeated,
  );
  report(stage, 'C2', problem);
}

/** The answer says in which window it was granted. */
function inWindow({ app }: Stage, spot: Spot, windowEnds: number | null | undefined): Spot {
  const rule = app.variables.get(spot.variable)?.window;
  return rule === undefined || windowEnds == null ? spot : { ...spot, window: windowAt(rule, windowEnds - 1).id };
}

/** The same key at the same instant, everywhere. */
export async function race(stage: Stage, _: Machine, action: AskAction): Promise<void> {
  const running = [...stage.cluster.machines.values()].filter(({ replica }) => replica !== null);
  await Promise.all(running.map((machine) => take(stage, machine, { ...action, region: machine.name, door: 'replica' })));
}

export async function settle(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const { stock } = stage.oracle;
  const receipts = stock.receipts();
  const known = receipts[action.pick % Math.max(1, receipts.length)];
  if (known === undefined) return;
  const receipt = action.pick % 19 === 0 ? forged(known) : known;
  const asked = action.amount === 1 ? 'confirm' : 'give';
  stock.settling(receipt, asked);
  const told: Told<Pick<SettleResult, 'ok' | 'reason'>> =
    action.door === 'handler'
      ? ((await askHandler(stage, action, `/${asked}`, { ...noText, n: 1, text: receipt })) as Told<SettleResult & Reply>)
      : await inProcess(stage, machine, (replica) => replica[asked](receipt));
  if (told.kind === 'refused') report(stage, 'C4', stock.unsettled(receipt, asked));
  if (told.kind !== 'answered') return;
  note(stage, `   ${asked} ${receipt.slice(0, 8)} at ${machine.name}: ${JSON.stringify(told.value)}`);
  report(stage, 'C2', stock.settled(receipt, asked, told.value));
}

/** Another receipt by the same issuer, which nobody signed. */
function forged(receipt: string): string {
  return `${receipt.startsWith('0') ? '1' : '0'}${receipt.slice(1)}`;
}

export async function mint(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const { amount, ask } = action;
  const spot = spotAt(stage, machine, 'stock', keyOf(action));
  const shelf = shelfOf(stage, spot);
  if (ask === 'mint') shelf.mintedAtMost += amount;
  else shelf.burnedAtMost += amount;
  const told = await inProcess(stage, machine, (replica) => handleOf(replica, spot)[ask === 'mint' ? 'mint' : 'burn'](amount));
  if (told.kind === 'refused') {
    if (ask === 'mint') shelf.mintedAtMost -= amount;
    else shelf.burnedAtMost -= amount;
  }
  if (told.kind !== 'answered') return;
  if (ask === 'mint') shelf.mintedAtLeast += amount;
  else shelf.burnedAtLeast += amount;
  report(stage, 'C2', stage.oracle.stock.judge(shelf));
}

/** The same key at the same machine: the first answer for ever, and one effect (C5). */
export async function keyed(stage: Stage, machine: Machine, action: AskAction): Promise<void> {
  const { oracle } = stage;
  const key = `${machine.name} ${action.pick % 5}`;
  const spot = spotAt(stage, machine, 'runs', '');
  const model = oracle.sums.at(spot);
  // The models know one write per key, however often it is asked for.
  const first = oracle.keys.get(key) === undefined;
  const write = beginWrite(stage, action);
  if (first) {
    oracle.keys.set(key, key);
    stage.runs.set(key, model.add(write, 1));
    shelfOf(stage, { variable: 'stock', key: null, window: '' }).unknown += 1;
  }
  const body: Body = { ...noText, n: action.pick % 5 };
  const told = await askHandler(stage, action, '/keyed', body, `key-${action.pick % 5}`);
  const known = stage.runs.get(key);
  if (known === undefined || told.kind !== 'answered') {
    if (known?.fate === 'waiting') known.fate = 'unknown';
    return;
  }
  known.endMs = stage.world.elapsedMs;
  known.fate = 'acknowledged';
  compare(stage, machine, key, told.value);
}

function compare(stage: Stage, machine: Machine, key: string, value: Reply): void {
  const { answers } = stage.oracle;
  const body = JSON.stringify(value);
  const before = answers.get(key);
  if (before?.sure === true && before.body !== body)
    report(stage, 'C5', `the key ${key} was answered ${before.body}, and then ${body}`);
  if (before === undefined) {
    answers.set(key, { body, sure: !stage.forgetful.has(machine.name) });
    const { receipt, ok } = value as { receipt: string | null; ok: boolean };
    if (!ok || receipt === null) return;
    const shelf = shelfOf(stage, { variable: 'stock', key: null, window: '' });
    shelf.unknown -= 1;
    const entries = [{ shelf, units: 1 }];
    report(stage, 'C2', stage.oracle.stock.granted({ receipt, machine: machine.name, entries, once: null, hold: false }, false));
  }
}
