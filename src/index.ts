/** The front door: what an app is made of. Platforms and parts have subpaths of their own. */
export { type App, type AppFile, type AppSettings, createApp, loadApp } from './app.ts';
export { buildApp } from './built/build.ts';
export type { BuiltApp } from './built/built.ts';
export { loadBuilt } from './built/whole.ts';
export { check, checkDocuments } from './check/check.ts';
export type { Finding } from './check/finding.ts';
export {
  type AppDocument,
  type AppDocuments,
  type AppOptions,
  defineApp,
  defineVariables,
  defineWorkflow,
  type WorkflowDocument,
  type WorkflowOptions,
} from './define/define.ts';
export type { Step, Steps } from './define/steps.ts';
export { CffbrwError, type ErrorCode, errorCodes, type Place } from './error.ts';
export type { Host } from './host.ts';
export { createHandler, type Handler, type HandlerOptions } from './http/handler.ts';
export { openReplica, type Replica, type ReplicaOf, type ReplicaOptions } from './replica/index.ts';
export { type Declaration, declareVariable, type Variable } from './strategy/index.ts';
export { version } from './version.ts';
