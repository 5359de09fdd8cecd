/** What a user's entry exports: `export default worker(app); export const Region = region(app); export const Hub = hub(app);` */
import type { App } from '../app.ts';
import type { Env, ObjectClass, ObjectState } from './bindings.ts';
import { HubObject } from './hub-object.ts';
import { RegionObject } from './region.ts';
import { createWorker, type Worker } from './worker.ts';

export const worker = (app: App): Worker => createWorker(app);

/** The class of a region's object. */
export const region = (app: App): ObjectClass<RegionObject> =>
  class Region extends RegionObject {
    constructor(state: ObjectState, env: Env) {
      super(app, state, env);
    }
  };

/** The class of the hub's object. */
export const hub = (app: App): ObjectClass<HubObject> =>
  class Hub extends HubObject {
    constructor(state: ObjectState, env: Env) {
      super(app, state, env);
    }
  };
