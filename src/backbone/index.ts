export type { Backbone, Delivery, Register, Registers, Subscription } from './backbone.ts';
export type { LoopbackSnapshot } from './keeper.ts';
export { createLoopback, type Loopback, type LoopbackOptions } from './loopback.ts';
export type { Direction, Network } from './wire.ts';
