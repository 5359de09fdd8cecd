/** A witness that lives outside a simulated disk: restoring or cloning the disk leaves it as it is. */
import type { Witness } from '../replica/witness.ts';
import type { World } from './host.ts';
import { createJobs } from './jobs.ts';

export interface SimulatedWitness extends Witness {
  /** The death of its process: the lock is free again, and a write in flight happened or did not, by seed. */
  crash(): void;
}

export interface SimulatedWitnessFile {
  /** null: nothing there. Set it to lose it, or to put an old one back. */
  text: string | null;
  /** Opens and locks it. While another holds it: locked. */
  open(): SimulatedWitness;
}

/** `writeMs`: a write takes about so long, milliseconds. */
export function createSimulatedWitness(world: World, name: string, writeMs = 0.1): SimulatedWitnessFile {
  const host = world.host(`witness/${name}`);
  const random = world.random.fork(`witness/${name}`);
  let holder: SimulatedWitness | null = null;

  const file: SimulatedWitnessFile = {
    text: null,
    open() {
      const jobs = createJobs(host);
      const found = holder !== null ? 'locked' : file.text === null ? 'missing' : { text: file.text };
      const free = () => {
        if (holder === witness) holder = null;
      };
      const put = (text: string) => {
        if (holder === witness) file.text = text;
      };
      const witness: SimulatedWitness = {
        state: () => found,
        write: (text) =>
          jobs.add({
            durationMs: writeMs * (0.5 + random.next()),
            effect: async () => put(text),
            interrupted() {
              if (random.chance(0.5)) put(text);
            },
          }),
        release: () => jobs.add({ durationMs: 0, effect: async () => free() }),
        crash() {
          jobs.abandon();
          free();
        },
      };
      if (found !== 'locked') holder = witness;
      return witness;
    },
  };
  return file;
}
