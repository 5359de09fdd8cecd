/** The contract of `Host` as cases that any test framework can run. */
import type { Host } from '../host.ts';
import { type Case, same } from './contract.ts';

/** Gives the host to be tested. */
export type OpenHost = () => Host;

const passed = (host: Host, delayMs: number) => new Promise<void>((resolve) => void host.after(delayMs, resolve));

export const hostCases: readonly Case<OpenHost>[] = [
  {
    title: 'now is an integer number of milliseconds since 1970',
    async run(make) {
      const now = make().now();
      same(Number.isSafeInteger(now) && now > 0, true, `now() gave ${now}`);
    },
  },
  {
    title: 'elapsed never goes back',
    async run(make) {
      const host = make();
      let last = host.elapsed();
      for (let turn = 0; turn < 20; turn++) {
        await passed(host, turn % 3);
        const elapsedMs = host.elapsed();
        same(elapsedMs >= last, true, `elapsed() went from ${last} to ${elapsedMs}`);
        last = elapsedMs;
      }
    },
  },
  {
    title: 'random is spread over [0, 1)',
    async run(make) {
      const host = make();
      const numbers = Array.from({ length: 1_000 }, () => host.random());
      same(
        numbers.every((number) => number >= 0 && number < 1),
        true,
        'random() left [0, 1)',
      );
      for (const tenth of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
        const hit = numbers.some((number) => Math.floor(number * 10) === tenth);
        same(hit, true, `random() never fell into the tenth from ${tenth / 10} in 1,000 draws`);
      }
    },
  },
  {
    title: 'an id is 32 hexadecimal digits and never given twice',
    async run(make) {
      const host = make();
      const ids = Array.from({ length: 10_000 }, () => host.id());
      const wrong = ids.find((id) => !/^[0-9a-f]{32}$/.test(id));
      same(wrong === undefined, true, `id() gave ${wrong}`);
      same(new Set(ids).size, ids.length, 'different ids');
    },
  },
  {
    title: 'a task runs once, later, and never inside the call that asked for it',
    async run(make) {
      const host = make();
      const seen: string[] = [];
      host.after(0, () => seen.push('task'));
      seen.push('asked');
      await Promise.resolve();
      same(seen, ['asked'], 'before any event');
      await passed(host, 5);
      await passed(host, 5);
      same(seen, ['asked', 'task'], 'afterwards');
    },
  },
  {
    title: 'tasks without a delay run in the order of asking, each with its promises done before the next',
    async run(make) {
      const host = make();
      const seen: string[] = [];
      for (const name of ['a', 'b', 'c']) {
        host.after(0, () => {
          seen.push(name);
          void Promise.resolve().then(() => seen.push(`${name} done`));
        });
      }
      await passed(host, 5);
      same(seen, ['a', 'a done', 'b', 'b done', 'c', 'c done'], 'order');
    },
  },
  {
    title: 'a shorter delay comes before a longer one',
    async run(make) {
      const host = make();
      const seen: number[] = [];
      await Promise.all([40, 1, 20].map((delayMs) => passed(host, delayMs).then(() => seen.push(delayMs))));
      same(seen, [1, 20, 40], 'order');
    },
  },
  {
    title: 'a cancelled task never runs, and cancelling late or twice is harmless',
    async run(make) {
      const host = make();
      const seen: string[] = [];
      const cancels = [0, 1].map((delayMs) => host.after(delayMs, () => seen.push('cancelled')));
      for (const cancel of [...cancels, ...cancels]) cancel();
      const cancelLate = host.after(0, () => seen.push('ran'));
      await passed(host, 10);
      cancelLate();
      await passed(host, 1);
      same(seen, ['ran'], 'what ran');
    },
  },
  {
    title: 'a delay of months does not run at once',
    async run(make) {
      const host = make();
      const seen: string[] = [];
      const cancel = host.after(90 * 86_400_000, () => seen.push('months later'));
      await passed(host, 10);
      cancel();
      same(seen, [], 'what ran');
    },
  },
];
