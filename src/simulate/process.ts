/**
 * A process that can be killed or paused: what runs in it uses its `host`, and stores, witnesses and backbones that went through it.
 *
 * It never undoes anything: what has left the process (a request, a commit that reached the disk) takes its course.
 *
 * Invariants:
 *   P1  After a kill no timer of it fires, no promise that it was given settles, and nothing that it calls has an effect.
 *   P2  While paused nothing is delivered to it; at the resume everything is, in order, each in an event of its own.
 *   P3  Every call of `after`, `fetch`, a store, a witness or a backbone is one await, numbered from 1 in the order of the calls.
 */
import type { Backbone, Delivery } from '../backbone/backbone.ts';
import type { Cancel, Host } from '../host.ts';
import type { Witness } from '../replica/witness.ts';
import type { Store } from '../store/store.ts';

/**
 * Dies at the n-th await. `before`: the call is not made. `during`: it is made, and the process dies at once (a commit is then
 * there or not, by seed). `after`: it took effect, and the process dies instead of learning so; for a timer, right after its task.
 */
export interface KillAt {
  readonly await: number;
  readonly when: 'before' | 'during' | 'after';
}

export interface SimulatedProcess {
  /** The machine's host, as this process sees it. */
  readonly host: Host;
  readonly alive: boolean;
  readonly paused: boolean;
  /** How many awaits there were so far. A run without a kill tells how many crashes to enumerate. */
  readonly awaits: number;
  store(store: Store & { crash?(): void }): Store;
  backbone(backbone: Backbone): Backbone;
  witness(witness: Witness & { crash?(): void }): Witness;
  /** Passes any other asynchronous call through the process, as one await. */
  call<T>(start: () => Promise<T>): Promise<T>;
  /** Called once, when it dies. */
  onKill(listener: () => void): void;
  kill(): void;
  /** Dies at the n-th await from now on, counted from 1. */
  killAt(when: KillAt): void;
  pause(): void;
  resume(): void;
}

export function createSimulatedProcess(machine: Host, dies?: KillAt): SimulatedProcess {
  const life = createLife(machine);
  let awaits = 0;
  let death = dies;

  /** The next await: when this process is to die at it, if it is the one. */
  const nextAwait = (): KillAt['when'] | null => (++awaits === death?.await ? death.when : null);

  const call = <T>(start: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (!life.alive) return;
      const dies = nextAwait();
      if (dies === 'before') return life.kill();
      const settle = (finish: () => void) => {
        if (dies === 'after') life.kill();
        life.deliver(finish);
      };
      start().then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
      if (dies === 'during') life.kill();
    });

  const after = (delayMs: number, task: () => void): Cancel => {
    if (!life.alive) return () => {};
    const dies = nextAwait();
    if (dies !== null && dies !== 'after') {
      life.kill();
      return () => {};
    }
    return life.after(delayMs, () => {
      task();
      if (dies === 'after') life.kill();
    });
  };
  return {
    host: {
      now: () => machine.now(),
      elapsed: () => machine.elapsed(),
      random: () => machine.random(),
      id: () => machine.id(),
      after,
      fetch: (request) => call(() => machine.fetch(request)),
    },
    get alive() {
      return life.alive;
    },
    get paused() {
      return life.paused;
    },
    get awaits() {
      return awaits;
    },
    store(store) {
      life.onKill(() => store.crash?.());
      return storeThrough(call, store);
    },
    backbone: (backbone) => backboneThrough(call, life, backbone),
    witness(witness) {
      life.onKill(() => witness.crash?.());
      return {
        state: () => witness.state(),
        write: (text) => call(() => witness.write(text)),
        release: () => call(() => witness.release()),
      };
    },
    call,
    onKill: life.onKill,
    kill: life.kill,
    killAt(next) {
      death = { await: awaits + next.await, when: next.when };
    },
    pause: life.pause,
    resume: life.resume,
  };
}

interface Life {
  readonly alive: boolean;
  readonly paused: boolean;
  /** Runs it now, or at the resume, or never. */
  deliver(task: () => void): void;
  after(delayMs: number, task: () => void): Cancel;
  onKill(listener: () => void): void;
  kill(): void;
  pause(): void;
  resume(): void;
}

function createLife(machine: Host): Life {
  let alive = true;
  let paused = false;
  let held: (() => void)[] = [];
  const timers = new Set<Cancel>();
  const listeners: (() => void)[] = [];

  const deliver = (task: () => void) => {
    if (!alive) return;
    if (paused) held.push(task);
    else task();
  };
  const after = (delayMs: number, task: () => void): Cancel => {
    let cancelled = false;
    const cancel = machine.after(delayMs, () => {
      timers.delete(cancel);
      deliver(() => {
        if (!cancelled) task();
      });
    });
    timers.add(cancel);
    return () => {
      cancelled = true;
      timers.delete(cancel);
      cancel();
    };
  };
  return {
    get alive() {
      return alive;
    },
    get paused() {
      return paused;
    },
    deliver,
    after,
    onKill: (listener) => void listeners.push(listener),
    kill() {
      if (!alive) return;
      alive = false;
      held = [];
      for (const cancel of timers) cancel();
      timers.clear();
      for (const listener of listeners) listener();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      const due = held;
      held = [];
      for (const task of due) after(0, task);
    },
  };
}

type Call = SimulatedProcess['call'];

const storeThrough = (call: Call, store: Store): Store => ({
  load: (addresses) => call(() => store.load(addresses)),
  commit: (rows, records) => call(() => store.commit(rows, records)),
  forget: (addresses) => call(() => store.forget(addresses)),
  scan: (page) => call(() => store.scan(page)),
  records: (page) => call(() => store.records(page)),
  since: (replica, version, limit) => call(() => store.since(replica, version, limit)),
  close: () => call(() => store.close()),
});

function backboneThrough(call: Call, life: Life, backbone: Backbone): Backbone {
  const subscribe = (cursor: string | null, receive: (delivery: Delivery) => Promise<void>) => {
    if (!life.alive) return { close() {}, caughtUp: () => new Promise<void>(() => {}) };
    const deliver = (delivery: Delivery) =>
      new Promise<void>((resolve, reject) => {
        life.deliver(() => {
          receive(delivery).then(resolve, reject);
        });
      });
    const subscription = backbone.subscribe(cursor, deliver);
    life.onKill(() => subscription.close());
    return { close: () => subscription.close(), caughtUp: () => call(() => subscription.caughtUp()) };
  };
  return {
    registers: {
      get: (name) => call(() => backbone.registers.get(name)),
      compareAndSet: (name, value, revision) => call(() => backbone.registers.compareAndSet(name, value, revision)),
    },
    identity: () => call(() => backbone.identity()),
    now: () => call(() => backbone.now()),
    latest: (replica) => call(() => backbone.latest(replica)),
    publish: (rows) => call(() => backbone.publish(rows)),
    forget: (addresses) => call(() => backbone.forget(addresses)),
    subscribe,
    close: () => call(() => backbone.close()),
  };
}
