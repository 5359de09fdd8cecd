/**
 * The admin API of one replica: `/_cffbrw/`. (Contract, and the parts put together.)
 *
 * Never: answers anything but `health` to who may not ask, whatever the path, the query or the method looks like.
 *
 * Invariants:
 *   M1  Refusing is what the router does by default: a route answers without a key only when it was mounted before the guard, and
 *       `mountOpen` takes only operations that the table calls open.
 *   M2  What it answers is durable.
 *   M3  What it remembers (runs, events) is bounded.
 */
import type { App } from '../../app.ts';
import type { Host } from '../../host.ts';
import type { Replica } from '../../replica/replica.ts';
import type { RunRecord, StartTrace } from '../../workflow/trace.ts';
import type { Log } from '../problem.ts';
import type { Guard } from './guard.ts';
import type { Sites } from './sites.ts';

export interface AdminOptions {
  readonly app: App;
  readonly replica: Replica;
  readonly host: Host;
  readonly guard: Guard;
  readonly log?: Log | undefined;
  /** The text that Prometheus reads. Without it `metrics` is not found. */
  readonly metrics?: (() => Promise<string>) | undefined;
  /** True from the moment on at which this process was told to stop: who sends it requests should send them elsewhere. */
  readonly isStopping?: (() => boolean) | undefined;
  /** All replicas of the app. Without a backbone there are none but this. */
  readonly sites?: Sites | undefined;
  /** The program of the reference page. Without it there is no page. */
  readonly referenceScript?: (() => Promise<string>) | undefined;
}

export interface Admin {
  /** For every path below `/_cffbrw/`. Never rejects. */
  answer(request: Request): Promise<Response>;
  /** Told of every run. */
  observe(record: RunRecord): void;
  /** Records every run, and tells `observe` (see `RunContext.observe`). */
  readonly startTrace: StartTrace;
  /** What the router has, as it has it. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** Ends the event streams. */
  close(): void;
}
