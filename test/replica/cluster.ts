/** Replicas on a simulated host: real store contract, real loopback, virtual time. */
import { type Backbone, createLoopback, type Loopback, type LoopbackOptions } from '../../src/backbone/index.ts';
import { openReplica, type Replica, type ReplicaOptions } from '../../src/replica/index.ts';
import type { SimulatedHost, World } from '../../src/simulate/host.ts';
import { createSimulatedProcess, type KillAt, type SimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk, type SimulatedDisk } from '../../src/simulate/store.ts';
import { createSimulatedWitness, type SimulatedWitnessFile } from '../../src/simulate/witness.ts';
import { type Declaration, declareVariable, type Variable } from '../../src/strategy/variable.ts';

export const declareAll = (declarations: Readonly<Record<string, Declaration>>): ReadonlyMap<string, Variable> =>
  new Map(Object.entries(declarations).map(([name, declaration]) => [name, declareVariable(name, declaration)]));

/** One location: its disk and witness outlive its processes. */
export interface Machine {
  readonly name: string;
  readonly host: SimulatedHost;
  readonly disk: SimulatedDisk;
  readonly witness: SimulatedWitnessFile;
  process: SimulatedProcess | null;
  replica: Replica | null;
}

export interface Cluster {
  readonly loopback: Loopback | null;
  machine(name: string): Machine;
  /** Starts a process on a machine, and a replica in it. */
  start(name: string, options?: Partial<ReplicaOptions> & { killAt?: KillAt }): Promise<Replica>;
  kill(name: string): void;
}

export interface ClusterOptions {
  readonly world: World;
  readonly variables: Readonly<Record<string, Declaration>>;
  /** null: no backbone. */
  readonly loopback?: Partial<LoopbackOptions> | null;
  /** What lies between a machine and the backbone. */
  readonly path?: (name: string, backbone: Backbone) => Backbone;
}

export function createCluster({
  world,
  variables,
  loopback: network = {},
  path = (_, backbone) => backbone,
}: ClusterOptions): Cluster {
  const declared = declareAll(variables);
  const loopback = network === null ? null : createLoopback({ host: world.host('backbone'), ...network });
  const machines = new Map<string, Machine>();

  const machine = (name: string): Machine => {
    const known = machines.get(name) ?? {
      name,
      host: world.host(name),
      disk: createSimulatedDisk(world, name),
      witness: createSimulatedWitness(world, name),
      process: null,
      replica: null,
    };
    machines.set(name, known);
    return known;
  };

  return {
    loopback,
    machine,
    async start(name, options = {}) {
      const { killAt, ...rest } = options;
      const at = machine(name);
      const process = createSimulatedProcess(at.host, killAt);
      at.process = process;
      at.replica = null;
      const replica = await openReplica({
        name,
        variables: declared,
        host: process.host,
        store: process.store(at.disk.open()),
        witness: process.witness(at.witness.open()),
        backbone: loopback === null ? null : process.backbone(path(name, loopback.connect(name))),
        ...rest,
      });
      at.replica = replica;
      return replica;
    },
    kill(name) {
      machine(name).process?.kill();
    },
  };
}
