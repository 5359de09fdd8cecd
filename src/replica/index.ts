export type { LoggedConflict } from './conflicts.ts';
export type { Handle, OpenHandle } from './handle.ts';
export { planRecovery, type RecoveryPlan, recover } from './identity/recover.ts';
export { planRetirement, type Retirement, retire } from './identity/retire.ts';
export type { ReplicaOptions } from './open.ts';
export type { Alarm } from './receive.ts';
export type * from './replica.ts';
export {
  declareAll,
  type HandleOf,
  type KeyedHandle,
  type OpenedHandle,
  openReplica,
  type ReplicaOf,
  type TypedChange,
  type TypedReplicaOptions,
  type ValueHandle,
} from './typed.ts';
export type { Witness } from './witness.ts';
