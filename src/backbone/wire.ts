/**
 * The network between replicas and a loopback: delay, loss, duplication, reordering, cuts. All time and all chance are the host's.
 *
 * A request that finds no answer within `timeoutMs` is UNREACHABLE: it may have happened, may happen later, or never.
 */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';

/** Set these at any time. Probabilities are from 0 to 1. */
export interface Network {
  /** From the moment a row is kept to its delivery, milliseconds. */
  lagMs: number;
  /** A request and its answer, milliseconds. */
  rttMs: number;
  /** Each way takes up to so much longer, at random. */
  jitterMs: number;
  /** How long a request waits for its answer. */
  timeoutMs: number;
  /** How long a lost or refused delivery waits for its repetition. */
  retryMs: number;
  /** The probability that a message (a request, an answer, a delivery) is lost. */
  loss: number;
  /** The probability that a publish happens a second time later, or that old rows are delivered again. */
  duplication: number;
  /** The probability that newer rows are delivered before older ones. */
  reordering: number;
  /** The probability that a request happens only after its caller gave up. */
  lateness: number;
  /** How far the backbone's clock is ahead, milliseconds. */
  skewMs: number;
}

/** `out`: what the replica sends does not arrive. `in`: what is sent to it does not arrive. */
export type Direction = 'both' | 'out' | 'in';

export const quietNetwork: Network = {
  lagMs: 0,
  rttMs: 0,
  jitterMs: 0,
  timeoutMs: 1_000,
  retryMs: 100,
  loss: 0,
  duplication: 0,
  reordering: 0,
  lateness: 0,
  skewMs: 0,
};

export interface Wire {
  readonly network: Network;
  chance(probability: number): boolean;
  /** One way's delay: this, and jitter. */
  delay(baseMs: number): number;
  /** True when nothing gets through in this direction. */
  isCut(name: string, direction: 'out' | 'in'): boolean;
  cut(name: string, direction: Direction): void;
  heal(name?: string): void;
  /** Loses what is on its way. */
  reset(): void;
  /** Sends a request over and brings the answer back, or rejects with UNREACHABLE. */
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createWire(host: Host, network: Network): Wire {
  const cuts = { out: new Set<string>(), in: new Set<string>() };
  let connection = 0;

  const chance = (probability: number) => probability > 0 && host.random() < probability;
  const delay = (baseMs: number) => baseMs + (network.jitterMs > 0 ? host.random() * network.jitterMs : 0);
  const isCut = (name: string, direction: 'out' | 'in') => cuts[direction].has(name);
  const each = (direction: Direction) => (direction === 'both' ? (['out', 'in'] as const) : [direction]);

  /** Runs `arrive` at the other end, unless it is lost on the way. */
  const send = (name: string, direction: 'out' | 'in', delayMs: number, arrive: () => void) => {
    const sentOver = connection;
    if (isCut(name, direction) || chance(network.loss)) return;
    host.after(delayMs, () => {
      if (sentOver === connection && !isCut(name, direction)) arrive();
    });
  };
  const request = <T>(name: string, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const { timeoutMs } = network;
      const giveUp = host.after(timeoutMs, () => reject(unreachable(name, timeoutMs)));
      const answer = (settle: () => void) =>
        send(name, 'in', delay(network.rttMs / 2), () => {
          giveUp();
          settle();
        });
      const lateMs = chance(network.lateness) ? timeoutMs * (1 + host.random()) : 0;
      send(name, 'out', delay(network.rttMs / 2) + lateMs, () => {
        work().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  return {
    network,
    chance,
    delay,
    isCut,
    cut(name, direction) {
      for (const way of each(direction)) cuts[way].add(name);
    },
    heal(name) {
      for (const way of each('both')) {
        if (name === undefined) cuts[way].clear();
        else cuts[way].delete(name);
      }
    },
    reset() {
      connection += 1;
    },
    request,
  };
}

const unreachable = (name: string, timeoutMs: number) =>
  new CffbrwError('UNREACHABLE', `the loopback backbone did not answer ${name} within ${timeoutMs} ms`, {
    fix: 'Heal the connection; until then the outcome is unknown.',
  });
