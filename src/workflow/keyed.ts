/**
 * Keyed runs: the same key gives the same answer, and does what it does once, also when the process dies in the middle.
 *
 * The record `run/<workflow>/<caller>/<key>` holds the seed and the time of the run, its journal, and in the end its result. It is written
 * in the transaction of every effect. A retry joins a run that is going on, gets the answer of one that is over, and takes up one that was
 * interrupted: what it did is replayed, the rest is done.
 *
 * It never: stores a refusal that a retry may turn into an answer, and never keeps a record beyond its time.
 *
 * Invariants:
 *   K1  Of one key, at most one run goes on at a time here.
 *   K2  An answer is durable before anybody gets it.
 *   K3  A run that stands on a failed commit writes nothing more.
 */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Replica } from '../replica/replica.ts';
import { digestOf } from './digest.ts';
import { createJournal, type Journal } from './journal.ts';
import type { Plan } from './plan.ts';
import { defaultKeepMs } from './plan.ts';
import { isProblem, partlyDone, problemOf, type RunResult } from './result.ts';
import { executeRun, type RunContext, type RunRequest } from './run.ts';
import { createSweeper, type Sweeper } from './sweep.ts';

export interface RunKey {
  /** 1 to 255 characters. */
  readonly key: string;
  /** Who calls; keys of different callers are different keys. */
  readonly caller: string;
  /** A digest of what was asked for. Default: of the request, without its headers. */
  readonly fingerprint?: string;
}

export interface KeyedRuns {
  run(plan: Plan, request: RunRequest, key: RunKey, context: RunContext): Promise<RunResult>;
}

interface Head {
  readonly version: 1;
  readonly fingerprint: string;
  readonly plan: string;
  readonly seed: string;
  readonly startedMs: number;
  readonly expiresMs: number;
  readonly result?: RunResult;
}

/** One run, while it goes on. */
interface Flight {
  readonly fingerprint: string;
  readonly promise: Promise<RunResult>;
}

interface Attempt {
  readonly name: string;
  readonly plan: Plan;
  readonly request: RunRequest;
  readonly fingerprint: string;
  readonly context: RunContext;
}

const ofReplica = new WeakMap<Replica, KeyedRuns>();

/** The keyed runs of a replica: the same ones for whoever asks (K1). */
export function createKeyedRuns(options: { readonly replica: Replica; readonly host: Host }): KeyedRuns {
  const runs = ofReplica.get(options.replica) ?? createRuns(options);
  ofReplica.set(options.replica, runs);
  return runs;
}

function createRuns({ replica, host }: { readonly replica: Replica; readonly host: Host }): KeyedRuns {
  const flights = new Map<string, Flight>();
  const sweeper = createSweeper({ replica, host, busy: (name) => flights.has(name) });
  return {
    async run(plan, request, key, context) {
      const wrong = keyProblem(key);
      if (wrong) return problemOf(wrong);
      const name = `run/${[plan.name, key.caller, key.key].map(encodeURIComponent).join('/')}`;
      const fingerprint = key.fingerprint ?? digestOf({ ...request, headers: null });
      const flight = flights.get(name);
      if (flight) return flight.fingerprint === fingerprint ? flight.promise : mismatch;
      const promise = attempt({ name, plan, request, fingerprint, context }, replica, host, sweeper).finally(() =>
        flights.delete(name),
      );
      flights.set(name, { fingerprint, promise });
      return promise;
    },
  };
}

function keyProblem({ key, caller }: RunKey): CffbrwError | undefined {
  const wellFormed = !/\p{Surrogate}/u.test(key + caller);
  if (key.length >= 1 && key.length <= 255 && caller.length <= 255 && wellFormed) return undefined;
  return new CffbrwError('INVALID_INPUT', 'an idempotency key has 1 to 255 characters', { fix: 'Send a UUID, say.' });
}

const mismatch: RunResult = problemOf(
  new CffbrwError('IDEMPOTENCY_MISMATCH', 'this idempotency key was used for another request', {
    fix: 'Send a new key with a new request, and the same request with the same key.',
  }),
);

async function attempt(what: Attempt, replica: Replica, host: Host, sweeper: Sweeper): Promise<RunResult> {
  let resumed = false;
  try {
    await sweeper.ready();
    const found = parseRecord(await replica.getRecord(what.name));
    const kept = found !== null && found.head.expiresMs > host.now() ? found : null;
    if (kept !== null && kept.head.fingerprint !== what.fingerprint) return mismatch;
    resumed = kept !== null;
    if (kept?.head.result !== undefined) {
      await replica.durable(replica.pending()); // it may be as new as the last write (K2)
      return kept.head.result;
    }
    if (kept !== null && kept.head.plan !== what.plan.fingerprint) return problemOf(changed(what.plan.name));
    const result = await go(what, kept ?? fresh(what, host), replica, kept === null ? sweeper : null);
    sweeper.sweep();
    return result;
  } catch (error) {
    const problem = problemOf(error);
    return resumed && problem.retry === 'later' ? partlyDone(problem) : problem;
  }
}

const changed = (name: string): CffbrwError =>
  new CffbrwError('RUN_FAILED', `the run was interrupted, and the workflow ${name} has changed since`, {
    fix: 'Look at what the run has done; then send the request with a new key.',
  });

interface Kept {
  readonly head: Head;
  readonly journal: string;
}

function fresh({ plan, fingerprint }: Attempt, host: Host): Kept {
  const startedMs = host.now();
  const expiresMs = startedMs + (plan.http?.idempotency?.keepMs ?? defaultKeepMs);
  return { head: { version: 1, fingerprint, plan: plan.fingerprint, seed: host.id(), startedMs, expiresMs }, journal: '' };
}

function go(what: Attempt, kept: Kept, replica: Replica, sweeper: Sweeper | null): RunResult | Promise<RunResult> {
  const record = createRecord(what.name, kept, replica, sweeper);
  const { seed, startedMs } = kept.head;
  return executeRun(what.plan, what.request, what.context, { ...record, seed, startedMs, resumed: sweeper === null });
}

/** What is kept of one run. `sweeper`: null when it is listed there already. */
function createRecord(name: string, kept: Kept, replica: Replica, sweeper: Sweeper | null) {
  let { head } = kept;
  let text = kept.journal;
  let listed = sweeper === null;
  const standing = createStanding(replica);
  const put = (): number => {
    standing.check();
    if (!listed) sweeper?.add(name, head.expiresMs);
    listed = true;
    return standing.on(replica.putRecord(name, `${JSON.stringify(head)}\n${text}`));
  };
  const journal: Journal = createJournal({
    text,
    put(next) {
      text = next;
      put();
    },
    check: standing.check,
  });
  const finish = (result: RunResult): number => {
    if (isProblem(result) && mayChange(result.status)) return 0;
    head = { ...head, result };
    text = '';
    return put();
  };
  return { journal, finish };
}

/** A refusal that says "not now", or blames another server: the retry that it asks for must not get it again. */
export const mayChange = (status: number): boolean => [429, 502, 503, 504, 507].includes(status);

/** The commits that this run stands on (K3). A commit that is on its way has one promise; another one means that it has failed. */
function createStanding(replica: Replica) {
  let commit = 0;
  let gate: Promise<void> | undefined;
  return {
    on(next: number): number {
      if (next !== commit) {
        commit = next;
        gate = replica.durable(next);
        gate?.catch(() => {}); // the run's own gate tells
      }
      return next;
    },
    check(): void {
      if (commit === 0) return;
      const now = replica.durable(commit);
      if (now === undefined || now === gate) return;
      now.catch(() => {}); // reported here
      throw new CffbrwError('STORE_FAILED', 'a write of this run could not be made durable', { fix: 'Retry with the same key.' });
    },
  };
}

function parseRecord(text: string | null): Kept | null {
  if (text === null) return null;
  const end = text.indexOf('\n');
  const head = JSON.parse(text.slice(0, end)) as Head;
  if (head.version === 1) return { head, journal: text.slice(end + 1) };
  throw new CffbrwError('STORE_VERSION', `a run was recorded in format ${String(head.version)}, and this version knows format 1`);
}
