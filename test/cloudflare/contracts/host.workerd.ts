/** What keeps an object awake, and what wakes it. */
import { describe, expect, test } from 'vitest';
import type { ObjectState } from '../../../src/cloudflare/bindings.ts';
import { emptyUsage } from '../../../src/cloudflare/driver.ts';
import { createObjectHost } from '../../../src/cloudflare/host.ts';
import { openObjectStore } from '../../../src/cloudflare/store.ts';
import { holds, row } from '../../../src/testing/store-parts.ts';
import { inObject } from './bench.ts';

const open = ({ storage }: ObjectState) => {
  const usage = emptyUsage();
  return { usage, storage, host: createObjectHost({ storage, usage }) };
};
const minuteMs = 60_000;

describe('the timers of an object', () => {
  test('a later task is an alarm, and one that is due after it needs no other', () =>
    inObject(async (state) => {
      const { host, usage, storage } = open(state);
      host.after(minuteMs, () => {});
      host.after(2 * minuteMs, () => {});
      await storage.sync();
      const alarmMs = (await storage.getAlarm()) ?? 0;
      expect(Math.abs(alarmMs - Date.now() - minuteMs)).toBeLessThan(2_000);
      expect(usage.alarmsSet).toBe(1);
      host.after(minuteMs / 2, () => {});
      expect(usage.alarmsSet).toBe(2);
    }));

  test('while a request runs there is no alarm, and when it is over there is', () =>
    inObject(async (state) => {
      const { host, usage, storage } = open(state);
      const leave = host.enter();
      host.after(minuteMs, () => {});
      expect([usage.alarmsSet, await storage.getAlarm()]).toEqual([0, null]);
      leave();
      expect(usage.alarmsSet).toBe(1);
    }));

  test('what was taken back, what is short, and what waits until the object is awake set none', () =>
    inObject(async (state) => {
      const { host, usage } = open(state);
      const leave = host.enter();
      const cancel = host.after(minuteMs, () => {});
      cancel();
      leave();
      host.after(10, () => {});
      host.whenAwake(minuteMs, () => {});
      expect(usage.alarmsSet).toBe(0);
    }));

  test('an alarm runs what is due, and what waits until the object is awake runs with the next request', () =>
    inObject(async (state) => {
      const { host } = open(state);
      const seen: string[] = [];
      const passed = (delayMs: number) => new Promise<void>((resolve) => void host.after(delayMs, resolve));
      host.after(1_001, () => seen.push('later'));
      host.whenAwake(0, () => seen.push('asleep'));
      await passed(990);
      await passed(20);
      expect(seen).toEqual([]);
      host.alarm();
      await passed(5);
      expect(seen.sort()).toEqual(['asleep', 'later']);
      host.whenAwake(0, () => seen.push('again'));
      host.enter()();
      await passed(5);
      expect(seen).toContain('again');
    }));
});

test('a long value that becomes a short one leaves nothing behind', () =>
  inObject(async (state) => {
    const store = openObjectStore({ storage: state.storage, usage: emptyUsage() });
    await store.commit([row('a', 'x', 1, 'long'.repeat(300_000))], []);
    const count = () => Number(state.storage.sql.exec('SELECT count(*) AS count FROM records').toArray()[0]?.count);
    const before = count();
    await store.commit([row('a', 'x', 2, 'longer'.repeat(100_000))], []);
    expect(count()).toBeLessThan(before);
    await holds(store, 'a', [row('a', 'x', 2, 'longer'.repeat(100_000))], 'the row');
    await store.forget(['a']);
    expect(count()).toBe(1); // how far the tables are
    await store.close();
  }));
