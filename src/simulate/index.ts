export { createSimulatedHost, type SimulatedHost, type World, type WorldOptions } from './host.ts';
export { createSimulatedProcess, type KillAt, type SimulatedProcess } from './process.ts';
export { createRandom, type Random } from './random.ts';
export { createSimulatedDisk, type DiskFaults, type DiskSnapshot, type SimulatedDisk } from './store.ts';
export { createSimulatedWitness, type SimulatedWitnessFile } from './witness.ts';
