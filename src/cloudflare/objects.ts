/** What a user's entry exports: `export default worker(app); export const Region = region(app, { admin }); export const Hub = hub(app);` */
import type { App } from '../app.ts';
import type { Env, ObjectClass, ObjectState } from './bindings.ts';
import { HubObject } from './hub-object.ts';
import { RegionObject, type RegionParts } from './region.ts';
import { createWorker, type Worker } from './worker.ts';

export const worker = (app: App): Worker => createWorker(app);

/** The class of a region's object. `admin`: the admin API, for who has the token; left out, there is none, and the Worker is smaller. */
export const region = (app: App, parts: RegionParts = {}): ObjectClass<RegionObject> =>
  class Region extends RegionObject {
    constructor(state: ObjectState, env: Env) {
      super(app, { state, env, ...parts });
    }
  };

/** The class of the hub's object. */
export const hub = (app: App): ObjectClass<HubObject> =>
  class Hub extends HubObject {
    constructor(state: ObjectState, env: Env) {
      super(app, state, env);
    }
  };
