/**
 * The hub: one object that connects the regions of an app. It answers their questions, and sends rows that are new to those that somebody
 * asked for something lately; a region that sleeps is not woken, and fetches what it missed when it wakes.
 *
 * Invariants:
 *   H1  An answer leaves only when all that it may show is durable.
 *   H2  After a failure of its storage nothing in memory is believed any more.
 */
import type { Cancel } from '../host.ts';
import type { ObjectState } from './bindings.ts';
import { emptyUsage } from './driver.ts';
import { createObjectHost, type ObjectHost } from './host.ts';
import { type HubState, openHubState } from './hub-state.ts';
import { type ObjectTables, openObjectTables } from './store.ts';
import type { Answered, Page, Push, Question, Questions } from './wire.ts';

export interface HubOptions {
  readonly state: Pick<ObjectState, 'storage'>;
  /** Tells a region. Resolves with false when it does not listen any more. */
  readonly push?: (region: string, push: Push) => Promise<boolean>;
  /** Wakes these regions; null: every one, for something was lost, and only they have it. */
  readonly wake?: (regions: readonly string[] | null) => void;
  /** Changes are sent at most so often, but those that somebody waits for. */
  readonly pushEveryMs?: number;
}

export interface Hub {
  answer(questions: Questions): Promise<Answered>;
  readonly host: ObjectHost;
  readonly usage: ReturnType<typeof emptyUsage>;
  close(): void;
}

interface Listener {
  /** How far it is. */
  cursor: string;
  /** How far rows were looked at for it: its own it has. */
  looked: string;
  /** Until when it wants to be told, on `host.elapsed`. */
  untilMs: number;
  busy: boolean;
}

/** A region that nobody asked for so long is left alone. */
export const listenMs = 15_000;
const soonMs = 20;
/** Regions publish once a second each: with this, all agree within that and a quarter more. */
const defaultPushEveryMs = 250;

export function openHub(options: HubOptions): Hub {
  const usage = emptyUsage();
  const host = createObjectHost({ storage: options.state.storage, usage });
  const listeners = new Map<string, Listener>();
  let opened: { readonly state: HubState; readonly tables: ObjectTables } | null = null;
  let cancel: Cancel | null = null;
  let isSoon = false;
  let pushedMs = Number.NEGATIVE_INFINITY;

  const open = () => {
    if (opened !== null) return opened;
    const tables = openObjectTables({ storage: options.state.storage, usage });
    try {
      const state = openHubState(host, tables);
      opened = { tables, state };
      // Nobody knows how far they are: they fetch what they lack when they are told of the next.
      for (const region of state.watchers) listeners.set(region, { ...listenerAt(state.end), cursor: '' });
    } catch (error) {
      tables.close();
      throw error;
    }
    return opened;
  };
  /** H2. */
  const drop = (): void => {
    opened?.tables.close();
    opened = null;
  };

  const plan = (urgent: boolean): void => {
    if (cancel !== null && (isSoon || !urgent)) return;
    cancel?.();
    isSoon = urgent;
    const everyMs = options.pushEveryMs ?? defaultPushEveryMs;
    const delayMs = urgent ? soonMs : Math.max(soonMs, pushedMs + everyMs - host.elapsed());
    cancel = host.after(delayMs, () => {
      cancel = null;
      pushedMs = host.elapsed();
      for (const [region, listener] of listeners) void tell(region, listener);
    });
  };

  /** What is new to one region, page by page. */
  async function tell(region: string, listener: Listener): Promise<void> {
    const { push } = options;
    if (listener.busy || push === undefined) return;
    listener.busy = true;
    const release = host.hold();
    try {
      while (opened !== null && listener.untilMs >= host.elapsed() && listener.looked !== opened.state.end) {
        const { state, tables } = opened;
        const page = newsFor(region, listener, state);
        const { mark } = state;
        await tables.durable();
        if (page.rows.length > 0 && !(await push(region, { mark, page }))) {
          // It fetches what it lacks when it asks again.
          if (listeners.get(region) === listener) listeners.delete(region);
          return;
        }
        listener.looked = page.to;
        if (page.rows.length > 0) listener.cursor = page.to;
      }
    } catch {
      plan(false);
    } finally {
      listener.busy = false;
      release();
    }
  }

  /** Whoever reads on wants to be told of what comes then. */
  function listen({ from, idleMs, watching }: Questions, page: Page): void {
    const untilMs = watching ? Number.POSITIVE_INFINITY : host.elapsed() + listenMs - idleMs;
    if (page.last) listeners.set(from, { ...listenerAt(page.to), untilMs });
    else listeners.delete(from); // it asks again at once
  }

  const answerAll = ({ state }: NonNullable<typeof opened>, asked: Questions): Answered['answers'] => {
    if (state.isLess(asked.mark)) options.wake?.(null);
    const answers = asked.questions.map((question) => {
      if (question.ask === 'wake') options.wake?.(question.regions);
      return state.answer(question);
    });
    state.watch(asked.from, asked.watching);
    state.flush();
    asked.questions.forEach((question, index) => {
      if (question.ask === 'after') listen(asked, answers[index] as Page);
    });
    if (asked.questions.some(changesRows))
      plan(asked.questions.some((question) => question.ask === 'publish' && question.urgent));
    return answers;
  };

  return {
    host,
    usage,
    async answer(asked) {
      const leave = host.enter();
      usage.requests += 1;
      try {
        const current = open();
        const answers = answerAll(current, asked);
        const { mark } = current.state;
        await current.tables.durable();
        return { mark, nowMs: host.now(), answers };
      } catch (error) {
        drop();
        throw error;
      } finally {
        leave();
      }
    },
    close: drop,
  };
}

const listenerAt = (cursor: string): Listener => ({ cursor, looked: cursor, untilMs: Number.POSITIVE_INFINITY, busy: false });

const changesRows = ({ ask }: Question): boolean => ask === 'publish';

/** The next rows for a region but its own, on from where it is. */
function newsFor(region: string, { cursor, looked }: Listener, state: HubState): Page {
  const page = state.after(looked);
  return { ...page, from: cursor, rows: page.rows.filter(({ replica }) => !replica.startsWith(`${region}.`)) };
}
