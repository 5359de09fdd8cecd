export { createHandler, type Handler, type HandlerOptions } from './handler.ts';
export type * from './http.ts';
export type { InputError, Log, LogEntry, Problem } from './problem.ts';
export { createRouter } from './router.ts';
