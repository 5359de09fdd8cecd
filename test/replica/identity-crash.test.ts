import { describe, expect, test } from 'vitest';
import type { KillAt } from '../../src/simulate/process.ts';
import { createStage, type Machine, type Stage, type StartOptions } from './identity-stage.ts';

interface Scene {
  readonly title: string;
  /** Leads up to the start that dies. */
  prepare(stage: Stage, machine: Machine): Promise<void>;
  /** The start that dies. */
  readonly options?: StartOptions;
  /** What the backbone is like during it. */
  readonly cut?: boolean;
  readonly witness?: boolean;
}

const leaseAndSell = async (stage: Stage, machine: Machine) => {
  const replica = await stage.open(machine);
  await stage.run(replica.lease(10));
  for (let unit = 0; unit < 3; unit += 1) await stage.run(replica.take());
  replica.kill();
};

const startCutOff = async (stage: Stage, machine: Machine) => {
  await leaseAndSell(stage, machine);
  stage.loopback.cut(machine.name);
  (await stage.open(machine)).kill();
  stage.loopback.heal();
};

const scenes: readonly Scene[] = [
  { title: 'the first start', prepare: async () => {} },
  { title: 'the first start on a platform that vouches for its disk', prepare: async () => {}, witness: false },
  { title: 'a start that proves itself', prepare: leaseAndSell },
  { title: 'a start that proves itself on a platform that vouches', prepare: leaseAndSell, witness: false },
  { title: 'a start with the backbone out of reach', prepare: leaseAndSell, cut: true },
  { title: 'a start that gives the rights of an old incarnation back', prepare: startCutOff },
];

/** Starts a process that dies there, and makes its first contacts; resolves with how many awaits it came to. */
async function dyingStart(stage: Stage, machine: Machine, scene: Scene, killAt: KillAt | undefined): Promise<number> {
  if (scene.cut === true) stage.loopback.cut(machine.name);
  const running = await stage.start(machine, killAt === undefined ? {} : { killAt });
  await stage.run(running.replica?.contact() ?? Promise.resolve()).catch(() => {});
  running.process.kill();
  stage.loopback.heal();
  return running.process.awaits;
}

async function unitsLeft(stage: Stage, machine: Machine): Promise<{ left: number; frozen: unknown }> {
  const replica = await stage.open(machine);
  for (let times = 0; times < 2; times += 1) await stage.run(replica.contact());
  const bank = await stage.bank();
  const held = Object.values(bank.leases).reduce((sum, { leased, returned }) => sum + leased - returned, 0);
  return { left: bank.initial - held + replica.spendable, frozen: replica.identity.frozen };
}

describe('a crash at any await of a start', () => {
  for (const scene of scenes) {
    for (const second of [false, true]) {
      const again = second ? ', and another one out of reach of the backbone,' : '';
      test(`${scene.title}${again} loses no right and doubles none`, async () => {
        let awaits = 1;
        for (let at = 0; at <= awaits; at += 1) {
          for (const when of ['before', 'during', 'after'] as const) {
            const stage = createStage(`crash/${scene.title}/${at}/${when}`);
            const machine = stage.machine('hanoi', { witness: scene.witness ?? true });
            await scene.prepare(stage, machine);
            const killAt = at === 0 ? undefined : { await: at, when };
            const came = await dyingStart(stage, machine, scene, killAt);
            if (at === 0) awaits = came;
            if (second) await dyingStart(stage, machine, { ...scene, cut: true }, undefined);
            const seen = await unitsLeft(stage, machine);
            expect(seen, `killed ${when} await ${at} of ${awaits}`).toEqual({ left: stage.initial - stage.sold, frozen: null });
            if (at === 0) break;
          }
        }
        expect(awaits).toBeGreaterThan(8);
      });
    }
  }
});

describe('a crash at any await of a start without a backbone', () => {
  for (const started of [false, true]) {
    test(`${started ? 'of a store that was used' : 'of an empty store'} freezes nothing`, async () => {
      let awaits = 1;
      for (let at = 0; at <= awaits; at += 1) {
        for (const when of ['before', 'during', 'after'] as const) {
          const stage = createStage(`alone/${started}/${at}/${when}`);
          const machine = stage.machine('hanoi');
          const before = started ? await stage.open(machine, { alone: true }) : null;
          before?.kill();
          const running = await stage.start(machine, { alone: true, ...(at === 0 ? {} : { killAt: { await: at, when } }) });
          if (at === 0) awaits = running.process.awaits;
          running.process.kill();
          const { identity } = await stage.open(machine, { alone: true });
          expect(identity.frozen, `killed ${when} await ${at}`).toBeNull();
          if (before !== null) expect(identity.me).toBe(before.identity.me);
        }
      }
      expect(awaits).toBeGreaterThan(3);
    });
  }
});
