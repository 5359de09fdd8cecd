/**
 * Which records of keyed runs are to be deleted, and when. Names are kept in lists of 64, in the order in which the runs began, so that each
 * run costs a look at one list at most, and no scan.
 *
 * A name may be listed for a record that has begun again since: a record is deleted only when it says itself that its time is over.
 */
import type { Host } from '../host.ts';
import type { Replica } from '../replica/replica.ts';

export interface Sweeper {
  /** Resolves when it knows where the last life stopped. */
  ready(): Promise<void>;
  /** Lists a record, in the transaction of what is written in the same synchronous block. */
  add(name: string, expiresMs: number): void;
  /** Deletes the records of the oldest list, if their time is over. */
  sweep(): void;
}

export interface SweeperOptions {
  readonly replica: Replica;
  readonly host: Host;
  /** True for the record of a run that goes on. */
  readonly busy: (name: string) => boolean;
}

const perList = 64;
const prefix = 'run-sweep/';
const headRecord = 'run-sweep';

export function createSweeper({ replica, host, busy }: SweeperOptions): Sweeper {
  let loading: Promise<void> | null = null;
  let [oldest, newest] = [0, 0];
  let text = '';
  let count = 0;
  let sweeping = false;
  // Nothing of the oldest list is over before this.
  let notBeforeMs = 0;

  async function load(): Promise<void> {
    const head = await replica.getRecord(headRecord);
    if (head !== null) [oldest = 0, newest = 0] = head.split(' ').map(Number);
    text = (await replica.getRecord(`${prefix}${newest}`)) ?? '';
    count = linesOf(text).length;
  }

  const saveHead = () => replica.putRecord(headRecord, `${oldest} ${newest}`);

  async function sweepOldest(): Promise<void> {
    const list = linesOf((await replica.getRecord(`${prefix}${oldest}`)) ?? '');
    const lastMs = Math.max(0, ...list.map(([expiresMs]) => expiresMs));
    if (lastMs > host.now()) {
      notBeforeMs = lastMs;
      return;
    }
    for (const [, name] of list) {
      const record = await replica.getRecord(name);
      if (record !== null && !busy(name) && expiresOf(record) <= host.now()) replica.putRecord(name, null);
    }
    replica.putRecord(`${prefix}${oldest}`, null);
    oldest += 1;
    saveHead();
  }

  return {
    ready() {
      loading ??= load().catch((error: unknown) => {
        loading = null;
        throw error;
      });
      return loading;
    },
    add(name, expiresMs) {
      if (count >= perList) {
        [newest, text, count] = [newest + 1, '', 0];
        saveHead();
      }
      text += `${expiresMs} ${name}\n`;
      count += 1;
      replica.putRecord(`${prefix}${newest}`, text);
    },
    sweep() {
      if (sweeping || oldest >= newest || host.now() < notBeforeMs) return;
      sweeping = true;
      void sweepOldest()
        .catch(() => {}) // the next run tries again
        .finally(() => {
          sweeping = false;
        });
    },
  };
}

const linesOf = (text: string): (readonly [expiresMs: number, name: string])[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]);

function expiresOf(record: string): number {
  const { expiresMs } = JSON.parse(record.slice(0, record.indexOf('\n'))) as { expiresMs: number };
  return expiresMs;
}
