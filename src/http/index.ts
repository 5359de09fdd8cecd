export { createPathRouter } from '../workflow/path-router.ts';
export type { Admin, AdminOptions } from './admin/admin.ts';
export type { Guard } from './admin/guard.ts';
export { createAdmin } from './admin/router.ts';
export { createFiles } from './files.ts';
export { createHandler, type Handler, type HandlerOptions } from './handler.ts';
export * from './http.ts';
export type { InputError, Log, LogEntry, MakeResponse, Problem } from './problem.ts';
export { createRouter } from './router.ts';
