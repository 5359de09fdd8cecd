/** Runs work inside a new object. */
import { env, runInDurableObject } from 'cloudflare:test';
import type { ObjectState } from '../../../src/cloudflare/bindings.ts';

export const inObject = <Result>(work: (state: ObjectState) => Promise<Result>): Promise<Result> =>
  runInDurableObject(env.BENCH.get(env.BENCH.newUniqueId() as never), (_, state) => work(state));
