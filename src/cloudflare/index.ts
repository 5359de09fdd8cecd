export { loadBuilt } from '../built/load.ts';
export type { Env, ObjectState } from './bindings.ts';
export { createObjectHost, createWorkerHost } from './host.ts';
export { openObjectStore } from './store.ts';
