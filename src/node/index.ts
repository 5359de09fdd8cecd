export { type DocumentText, readDocuments } from './directory.ts';
export { createStaticReader } from './files.ts';
export { createNodeHost, drain, nodeHost } from './host.ts';
export type { OutboundOptions } from './outbound.ts';
export { type NodeReplicaOptions, openReplica } from './replica.ts';
export { type Served, type ServeOptions, serve } from './serve.ts';
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.ts';
export { witnessPath } from './witness.ts';
