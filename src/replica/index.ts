export type { LoggedConflict } from './conflicts.ts';
export type { Handle } from './handle.ts';
export { openReplica, type ReplicaOptions } from './open.ts';
export type { Alarm } from './receive.ts';
export { planRecovery, type RecoveryPlan, recover } from './recover.ts';
export type * from './replica.ts';
export { planRetirement, type Retirement, retire } from './retire.ts';
export type { Witness } from './witness.ts';
