/**
 * The cron trigger: one replica fires per tick, for the whole app.
 *
 * A register `cron/<workflow>` of the backbone names the last tick and who has it: whoever writes it by compare-and-set runs the workflow,
 * as a keyed run whose key is the tick. Without a backbone the same is a record here. What a replica claims is durable here first, so that
 * after a crash it finds out whether it won, and goes on with its run.
 *
 * It never lets another replica take over a tick: nobody can know how far its winner has come. A winner that does not come back within
 * the hour leaves its tick unfinished; the ticks after it are anybody's.
 *
 * Invariants:
 *   C1  A tick is run by at most one incarnation, and its effects happen at most once.
 *   C2  A claim is durable here before the register shows it.
 *   C3  Ticks never go back: what the register (or this record) has shown is never fired again.
 *   C4  With a backbone its clock alone says what is due, so machines whose clocks differ agree.
 */
import type { Cancel, Host } from '../host.ts';
import type { Ledger } from '../replica/ledger.ts';
import type { Replica } from '../replica/replica.ts';
import { createClaims, type OpenClaim, registerName, type Stand, standOf } from './cron-claims.ts';
import type { LogEntry } from './frame.ts';
import { createKeyedRuns, mayChange } from './keyed.ts';
import type { Plan } from './plan.ts';
import { isProblem, type RunResult } from './result.ts';
import type { RunContext } from './run.ts';
import type { Schedule } from './schedule.ts';

/** What is asked of a backbone; every `Backbone` has it. */
export interface CronBackbone {
  readonly registers: NonNullable<Ledger['registers']>;
  now(): Promise<number>;
}

export interface CronOptions {
  readonly plans: Iterable<Plan>;
  readonly replica: Replica;
  readonly host: Host;
  /** null: this replica is the whole app. */
  readonly backbone: CronBackbone | null;
  readonly log?: RunContext['log'];
  readonly secrets?: RunContext['secrets'];
  readonly observe?: RunContext['observe'];
  readonly runId?: RunContext['runId'];
  /** When the schedule of a workflow was first there, milliseconds since 1970, for a process that does not run all the time. Default: now. */
  readonly since?: ReadonlyMap<string, number>;
}

export interface Cron {
  /** Fires no more. Resolves when the runs that go on are over, or after 5 s; what is cut short goes on at the next start. */
  close(): Promise<void>;
}

/** A tick that nobody fired is fired late when it is younger than this; so is a run that was cut short. */
export const latenessMs = 3_600_000;
/** A machine that slept, or whose clock was set, finds out after so long. */
const longestSleepMs = 60_000;
const retryMs = 2_000;
const longestRetryMs = 15_000;
const attempts = 5;
const closingMs = 5_000;

/** Fires the workflows that have a schedule, from now on. */
export function startCron(options: CronOptions): Cron {
  const tickers = [...options.plans].flatMap((plan) => (plan.cron === null ? [] : [startTicker(plan, plan.cron, options)]));
  return {
    async close() {
      await Promise.all(tickers.map((ticker) => ticker.close()));
    },
  };
}

function startTicker(plan: Plan, schedule: Schedule, options: CronOptions): Cron {
  const { replica, host, backbone } = options;
  const context: RunContext = { replica, host, ...(options.log && { log: options.log }), ...given(options) };
  const log = (level: LogEntry['level'], message: string) => options.log?.({ level, message, workflow: plan.name });
  const claims = createClaims({ replica, host, workflow: plan.name });
  const runs = createRuns({ plan, context, finished: (tick) => !closed && claims.remove(tick), log });
  let closed = false;
  let cancel: Cancel = () => {};
  /** Ticks up to this one are somebody's (C3). */
  let settled = 0;
  let startedAtMs: number | null = null;
  let failures = 0;

  /** Fires what is due. Resolves with how long to sleep. */
  async function look(): Promise<number> {
    await claims.load();
    const nowMs = await (backbone === null ? host.now() : backbone.now());
    startedAtMs ??= options.since?.get(plan.name) ?? nowMs;
    const tick = schedule.latest(Math.max(nowMs - latenessMs, settled), nowMs);
    if (tick !== null || claims.open.some((entry) => !runs.has(entry.tick))) {
      const stand = backbone === null ? claims.stand() : standOf(await backbone.registers.get(registerName(plan.name)));
      if (closed) return retryMs;
      settled = Math.max(settled, stand.last?.tick ?? 0);
      resume(stand, nowMs);
      if (tick !== null && tick > settled) await decide(tick, stand);
      if (tick !== null && tick > settled) return retryMs * host.random();
    }
    return (schedule.next(nowMs) ?? Number.POSITIVE_INFINITY) - nowMs;
  }

  /** What became of the claims of an earlier life, or of a call whose outcome is unknown. */
  function resume({ last }: Stand, nowMs: number): void {
    for (const entry of claims.open) {
      if (runs.has(entry.tick)) continue;
      const won = entry.won || entry.claim === last?.claim;
      const young = nowMs - entry.tick < latenessMs;
      if (won && young && entry.by === replica.id) win(entry.tick);
      else if (won) abandon(entry);
      else if (entry.tick <= settled || !young) claims.remove(entry.tick);
    }
  }

  async function decide(tick: number, stand: Stand): Promise<void> {
    // What was due before this process began was missed only if the schedule was this one already.
    if (tick <= (startedAtMs ?? 0) && stand.last?.schedule !== scheduleText(schedule)) {
      settled = tick;
      return;
    }
    const claim = await claims.claim(tick, scheduleText(schedule));
    if (closed) return;
    if (backbone !== null) {
      const { register } = await backbone.registers.compareAndSet(registerName(plan.name), JSON.stringify(claim), stand.revision);
      const { last } = standOf(register);
      settled = Math.max(settled, last?.tick ?? 0);
      if (last?.claim !== claim.claim) {
        if (settled >= tick && !closed) claims.remove(tick);
        return;
      }
    }
    settled = tick;
    win(tick);
  }

  function win(tick: number): void {
    if (closed || runs.has(tick)) return;
    claims.won(tick);
    runs.start(tick);
  }

  function abandon({ tick, by }: OpenClaim): void {
    claims.remove(tick);
    log('error', `the run of ${new Date(tick).toISOString()} was cut short at ${by}, and is not taken up again`);
  }

  function sleep(delayMs: number): void {
    const [untilMs, elapsedMs] = [host.now() + delayMs, host.elapsed() + delayMs];
    const doze = () => {
      if (closed) return;
      const leftMs = Math.min(untilMs - host.now(), elapsedMs - host.elapsed());
      if (leftMs <= 0) wake();
      else cancel = host.after(Math.min(leftMs, longestSleepMs), doze);
    };
    doze();
  }

  function wake(): void {
    look().then(
      (delayMs) => {
        failures = 0;
        sleep(Math.max(1, delayMs));
      },
      (error: unknown) => {
        if (!isUnreachable(error)) log('error', `its schedule could not be looked at: ${String(error)}`);
        sleep(Math.min(retryMs * 2 ** failures++, longestRetryMs) * (1 + host.random()));
      },
    );
  }

  wake();
  return {
    async close() {
      closed = true;
      cancel();
      await runs.settle();
    },
  };
}

const given = ({ secrets, observe, runId }: CronOptions) => ({
  ...(secrets && { secrets }),
  ...(observe && { observe }),
  ...(runId && { runId }),
});
const scheduleText = ({ schedule, timezone }: Schedule): string => `${schedule} ${timezone}`;
const isUnreachable = (error: unknown): boolean => (error as { code?: string }).code === 'UNREACHABLE';

interface RunsOptions {
  readonly plan: Plan;
  readonly context: RunContext;
  readonly finished: (tick: number) => void;
  readonly log: (level: LogEntry['level'], message: string) => void;
}

/** The runs that go on here. One that is refused for now is tried again: a keyed run does nothing twice. */
function createRuns({ plan, context, finished, log }: RunsOptions) {
  const { host, replica } = context;
  const keyed = createKeyedRuns({ replica, host });
  const going = new Map<number, Promise<void>>();
  let closed = false;
  // Its record is kept for a day, whatever its HTTP trigger says, and is asked for within the hour.
  const unhurried: Plan = { ...plan, http: null };
  const pause = (delayMs: number) => new Promise<void>((resolve) => void host.after(delayMs, resolve));

  async function attempt(tick: number): Promise<RunResult> {
    for (let number = 1; ; number += 1) {
      const result = await keyed.run(unhurried, { scheduled: tick }, { key: String(tick), caller: 'cron' }, context);
      if (!isProblem(result) || !mayChange(result.status) || number === attempts || closed) return result;
      await pause(retryMs * 2 ** number);
      if (closed) return result;
    }
  }

  async function run(tick: number): Promise<void> {
    const result = await attempt(tick);
    if (isProblem(result)) {
      log('error', `the run of ${new Date(tick).toISOString()} ended with ${result.status}: ${result.detail ?? result.title}`);
      if (closed && mayChange(result.status)) return;
    }
    finished(tick);
  }

  return {
    has: (tick: number) => going.has(tick),
    start(tick: number): void {
      going.set(
        tick,
        run(tick).finally(() => going.delete(tick)),
      );
    },
    async settle(): Promise<void> {
      closed = true;
      if (going.size > 0) await Promise.race([Promise.all(going.values()), pause(closingMs)]);
    },
  };
}
