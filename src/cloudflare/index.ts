export { loadBuilt } from '../built/whole.ts';
export { admin, type EdgeAdmin } from './admin.ts';
export type { Env, ObjectClass, ObjectState } from './bindings.ts';
export { hub, region, worker } from './objects.ts';
export type { Worker } from './worker.ts';
