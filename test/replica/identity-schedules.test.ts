import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DiskSnapshot } from '../../src/simulate/store.ts';
import type { StoredRow } from '../../src/store/store.ts';
import { runs } from '../simulate/world.ts';
import { createStage, type Machine, type Running, type Stage } from './identity-stage.ts';

const actions = [
  'start',
  'stop',
  'kill',
  'backup',
  'restore',
  'clone',
  'cut',
  'heal',
  'lease',
  'take',
  'publish',
  'contact',
] as const;
type Action = (typeof actions)[number];

const often = ['take', 'take', 'take', 'take', 'lease', 'lease', 'start', 'start', 'contact'] as const;
const step = fc.record({
  action: fc.constantFrom(...actions, ...often),
  machine: fc.nat(1),
  process: fc.nat(7),
  waitMs: fc.constantFrom(0, 1, 3, 7, 20, 20, 20, 3_000),
});
type Step = { readonly action: Action; readonly machine: number; readonly process: number; readonly waitMs: number };
const schedule = fc.record({ seed: fc.nat(), steps: fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }) });

/** Carries a schedule out, and looks at every contact whether a process went on that a later start had replaced. */
class Play {
  readonly stage: Stage;
  readonly machines: Machine[];
  readonly twice: boolean;
  /** Claims are decided step by step, or at once where the register is. */
  readonly decides: boolean;
  readonly backups = new Map<Machine, DiskSnapshot>();
  readonly violations: string[] = [];

  constructor(seed: number, options: { witness: boolean; twice: boolean }) {
    this.stage = createStage(seed, 12);
    this.twice = options.twice;
    this.decides = seed % 2 === 0;
    this.machines = ['hanoi', 'hue'].map((name) => this.stage.machine(name, { witness: options.witness }));
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const { action, machine, process, waitMs } of steps) {
      await this.act(action, machine, process);
      await this.stage.world.run(waitMs);
    }
  }

  private alive = (): Running[] => this.stage.running.filter((running) => running.process.alive);

  private async act(action: Action, index: number, process: number): Promise<void> {
    const machine = this.machines[index % this.machines.length];
    const running = this.alive()[process % Math.max(1, this.alive().length)];
    if (machine === undefined) return;
    const mine = this.alive().filter((other) => other.machine === machine);
    if (action === 'start' && (this.twice || mine.length === 0)) this.stage.begin(machine, { decides: this.decides });
    else if (action === 'backup') this.backups.set(machine, machine.disk.snapshot());
    else if (action === 'restore') this.restore(machine, mine);
    else if (action === 'clone') this.clone(machine);
    else if (action === 'cut') this.stage.loopback.cut(machine.name);
    else if (action === 'heal') this.stage.loopback.heal();
    else if (running !== undefined) this.ask(action, running);
  }

  private restore(machine: Machine, mine: readonly Running[]): void {
    const backup = this.backups.get(machine);
    if (backup === undefined) return;
    for (const { process } of mine) process.kill();
    machine.disk.restore(backup);
  }

  private clone(machine: Machine): void {
    if (this.machines.length > 4) return;
    const name = `${machine.name.split('-')[0]}-copy${this.machines.length}`;
    const witness = machine.witness !== null;
    const copy = this.stage.machine(name, { witness, disk: machine.disk.clone(name) });
    this.machines.push(copy);
    this.stage.begin(copy, { decides: this.decides });
  }

  private ask(action: Action, running: Running): void {
    const { replica, process } = running;
    if (action === 'kill') process.kill();
    if (action === 'contact') this.contact(running);
    if (replica === null) return;
    const calls = { stop: replica.stop, lease: () => replica.lease(3), take: replica.take, publish: replica.publish };
    if (action === 'stop' || action === 'lease' || action === 'take' || action === 'publish') calls[action]().catch(() => {});
  }

  /** A contact that began after another process had claimed the same incarnation must not succeed. */
  contact(running: Running): void {
    const { replica } = running;
    if (replica === null) return;
    const later = this.stage.running.slice(this.stage.running.indexOf(running) + 1);
    const rivals = later.filter((other) => this.claimedSame(running, other));
    replica.contact().then(
      () => {
        if (rivals.length > 0 && replica.spendable > 0)
          this.violations.push(`${replica.identity.me} goes on after a second start`);
      },
      () => {},
    );
  }

  private claimedSame = (one: Running, other: Running): boolean =>
    other.replica !== null && other.replica.identity.me === one.replica?.identity.me && other.replica.identity.frozen === null;

  /** Whoever may sell, sells: a right that exists twice shows. */
  private async sellOut(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      for (const { replica } of this.alive()) for (let unit = 0; unit < 3; unit += 1) replica?.take().catch(() => {});
      await this.stage.world.run(100);
      for (const { replica } of this.alive()) replica?.lease(1).catch(() => {});
      await this.stage.world.run(100);
    }
  }

  /** Units taken in any durable row. */
  taken(): number {
    const rows = new Map<string, StoredRow>();
    for (const row of this.machines.flatMap(({ disk }) => disk.snapshot().rows)) {
      if (row.version >= (rows.get(row.replica)?.version ?? 0)) rows.set(row.replica, row);
    }
    return [...rows.values()].reduce((sum, { bytes }) => sum + (JSON.parse(bytes) as { taken: number }).taken, 0);
  }

  /** Everything is started again and looks at the backbone: what is free, and what somebody may sell. */
  async unitsLeft(): Promise<number> {
    this.stage.loopback.heal();
    for (const { process } of this.alive()) process.kill();
    const replicas = [];
    for (const machine of this.machines) replicas.push(await this.stage.open(machine));
    for (const replica of [...replicas, ...replicas]) await this.stage.run(replica.contact());
    const bank = await this.stage.bank();
    const held = Object.values(bank.leases).reduce((sum, { leased, returned }) => sum + leased - returned, 0);
    return bank.initial - held + replicas.reduce((sum, { spendable }) => sum + spendable, 0);
  }

  /** Everything heals; every process that lives looks at the backbone; at most one per incarnation is left with rights. */
  async settle(): Promise<void> {
    this.stage.loopback.heal();
    await this.stage.world.run(5_000);
    for (let round = 0; round < 3; round += 1) {
      for (const running of this.alive()) this.contact(running);
      await this.stage.world.run(5_000);
    }
    const holders = this.alive().flatMap(({ replica }) =>
      replica !== null && replica.spendable > 0 ? [replica.identity.me] : [],
    );
    await this.sellOut();
    expect(holders.length, `holders ${holders.join(', ')}`).toBe(new Set(holders).size);
    expect(this.violations).toEqual([]);
  }
}

describe('random schedules of starts, deaths, backups, clones and cuts', () => {
  test('with witnesses, nothing is ever sold twice', async () => {
    let sold = 0;
    let proven = 0;
    await fc.assert(
      fc.asyncProperty(schedule, async ({ seed, steps }) => {
        const play = new Play(seed, { witness: true, twice: false });
        await play.run(steps);
        await play.settle();
        sold += play.stage.sold;
        for (const { replica } of play.stage.running)
          proven += replica?.identity.old.filter((old) => old.state === 'returned').length ?? 0;
        expect(play.stage.sold).toBeLessThanOrEqual(play.stage.initial);
      }),
      { numRuns: runs(120) },
    );
    expect(Math.min(sold, proven)).toBeGreaterThan(5);
  });

  test('without backups and clones, no right is ever lost either', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, fc.boolean(), async ({ seed, steps }, witness) => {
        const play = new Play(seed, { witness, twice: false });
        await play.run(steps.filter(({ action }) => action !== 'restore' && action !== 'clone'));
        const left = await play.unitsLeft();
        // A take that was durable when its process died, before it was told, is gone as well.
        expect([left, left <= play.stage.initial - play.stage.sold]).toEqual([play.stage.initial - play.taken(), true]);
      }),
      { numRuns: runs(80) },
    );
  });

  // On a platform that vouches for its disks, a backup put back or a clone breaks what it vouches for: selling twice before the next contact is the
  // case that DESIGN names as remaining. What holds even then: a contact leaves one holder.
  test('on a platform that vouches for disks that are not, every contact leaves one holder of an incarnation', async () => {
    let fenced = 0;
    await fc.assert(
      fc.asyncProperty(schedule, async ({ seed, steps }) => {
        const play = new Play(seed, { witness: false, twice: true });
        await play.run(steps);
        await play.settle();
        fenced += play.stage.running.filter(({ replica }) => replica?.identity.frozen?.reason === 'fenced').length;
      }),
      { numRuns: runs(120) },
    );
    expect(fenced).toBeGreaterThan(5);
  });
});
