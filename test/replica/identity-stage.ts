/**
 * A stage for identities: machines with disks and witnesses, a loopback backbone, and a miniature bank of one counter, so that an omniscient
 * observer can count what was sold and who could have sold it. The miniature follows DESIGN 5: intent, bank, row; returns the row first.
 */
import type { Backbone } from '../../src/backbone/backbone.ts';
import { createLoopback, type Loopback } from '../../src/backbone/loopback.ts';
import { CffbrwError } from '../../src/error.ts';
import { type BankRecord, emptyBank, parseBank, printBank } from '../../src/replica/bank/record.ts';
import { decideClaim } from '../../src/replica/identity/claim.ts';
import { ownDisk } from '../../src/replica/identity/disk.ts';
import { type Identity, openIdentity } from '../../src/replica/identity/identity.ts';
import { readMark } from '../../src/replica/identity/incarnation.ts';
import { membersRegister } from '../../src/replica/identity/members.ts';
import { judgeLease } from '../../src/replica/identity/proof.ts';
import { commitRecord, type Witness } from '../../src/replica/witness.ts';
import { createSimulatedProcess, type KillAt, type SimulatedProcess } from '../../src/simulate/process.ts';
import { createSimulatedDisk, type SimulatedDisk } from '../../src/simulate/store.ts';
import { createSimulatedWitness, type SimulatedWitnessFile } from '../../src/simulate/witness.ts';
import type { Store, StoredRecord } from '../../src/store/store.ts';
import { createWorld } from '../simulate/world.ts';

export const address = 'x:bounded-counter:::';
const bankName = `bank/${address}`;

interface Row {
  readonly leased: number;
  readonly returned: number;
  readonly taken: number;
}

const noRow: Row = { leased: 0, returned: 0, taken: 0 };
export const rightsOf = ({ leased, returned, taken }: Row): number => leased - returned - taken;

export interface Machine {
  readonly name: string;
  disk: SimulatedDisk;
  /** null: the platform vouches for the disk. */
  readonly witness: SimulatedWitnessFile | null;
}

export interface Running {
  readonly machine: Machine;
  readonly process: SimulatedProcess;
  /** Set once it is open. */
  replica: Miniature | null;
  failure: unknown;
}

export interface Stage {
  readonly world: ReturnType<typeof createWorld>;
  readonly loopback: Loopback;
  /** Units that any process ever acknowledged as sold. */
  sold: number;
  readonly initial: number;
  readonly running: Running[];
  machine(name: string, options?: { witness?: boolean; disk?: SimulatedDisk }): Machine;
  /** Starts a process; time has to pass until it is open. */
  begin(machine: Machine, options?: StartOptions): Running;
  /** Starts a process, and lets a minute pass. */
  start(machine: Machine, options?: StartOptions): Promise<Running>;
  /** A started process that is open now. */
  open(machine: Machine, options?: StartOptions): Promise<Miniature>;
  /** Lets a call of a process run until it settles, or its process died, or a minute is over. */
  run<T>(call: Promise<T>): Promise<T | undefined>;
  bank(): Promise<BankRecord>;
}

export interface StartOptions {
  readonly killAt?: KillAt;
  readonly alone?: boolean;
  readonly adopt?: boolean;
  /** The backbone decides claims in one step, as a hub does. */
  readonly decides?: boolean;
}

export const minuteMs = 60_000;

export function createStage(seed: string | number, initial = 20): Stage {
  const world = createWorld(seed);
  const loopback = createLoopback({ host: world.host('backbone'), rttMs: 2, jitterMs: 1 });
  const stage: Stage = {
    ...{ world, loopback, sold: 0, initial, running: [] },
    machine: (name, { witness = true, disk } = {}) => ({
      name,
      disk: disk ?? createSimulatedDisk(world, name),
      witness: witness ? createSimulatedWitness(world, name) : null,
    }),
    begin: (machine, options = {}) => begin(stage, machine, options),
    async start(machine, options) {
      const running = stage.begin(machine, options);
      await world.run(minuteMs);
      return running;
    },
    async open(machine, options) {
      const { replica, failure } = await stage.start(machine, options);
      if (replica === null) throw failure ?? new Error(`${machine.name} did not open`);
      return replica;
    },
    async run(call) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      call.then(settle, settle);
      await world.run(minuteMs);
      return settled ? call : undefined;
    },
    async bank() {
      const register = loopback.connect('observer').registers.get(bankName);
      const found = await world.runUntil(register);
      return found.value === null ? emptyBank(initial) : parseBank(found.value);
    },
  };
  return stage;
}

function begin(stage: Stage, machine: Machine, { killAt, alone = false, adopt = false, decides = false }: StartOptions): Running {
  const process = createSimulatedProcess(stage.world.host(machine.name), killAt);
  const running: Running = { machine, process, replica: null, failure: null };
  stage.running.push(running);
  const store = process.store(machine.disk.open());
  const witness = machine.witness === null ? null : process.witness(machine.witness.open());
  const connected = alone ? null : process.backbone(stage.loopback.connect(machine.name));
  const backbone = connected !== null && decides ? deciding(connected) : connected;
  const { host } = process;
  openIdentity({ host, store, witness, backbone, name: machine.name.split('-')[0] ?? '', disk: ownDisk, adopt }).then(
    async (identity) => {
      running.replica = await openMiniature(stage, { identity, store, witness, backbone, process });
    },
    (error: unknown) => {
      running.failure = error;
    },
  );
  return running;
}

/** Decides where the register is written: again, where something came between. */
const deciding = (backbone: Backbone): Backbone => ({
  ...backbone,
  async decide(claim) {
    const { registers } = backbone;
    const { id } = JSON.parse(claim) as { id: string };
    for (;;) {
      const found = await registers.get(membersRegister);
      const latest = await backbone.latest(id);
      let next: string | null = null;
      const answer = decideClaim(claim, {
        ...{ identity: found.identity, members: found.value, latest: () => latest },
        write(members) {
          next = members;
        },
      });
      if (next === null || (await registers.compareAndSet(membersRegister, next, found.revision)).done) return answer;
    }
  },
});

export interface Miniature {
  readonly identity: Identity;
  readonly rights: number;
  /** Rights that could be sold at this instant. */
  readonly spendable: number;
  readonly alive: boolean;
  lease(units: number): Promise<boolean>;
  take(): Promise<boolean>;
  publish(): Promise<void>;
  contact(): Promise<void>;
  /** Returns rights, says so, and ends the process. */
  stop(): Promise<void>;
  kill(): void;
}

interface Parts {
  readonly identity: Identity;
  readonly store: Store;
  readonly witness: Witness | null;
  readonly backbone: Backbone | null;
  readonly process: SimulatedProcess;
}

async function openMiniature(stage: Stage, { identity, store, witness, backbone, process }: Parts): Promise<Miniature> {
  const rows = new Map<string, Row>();
  const [stored] = await store.load([address]);
  for (const { replica, bytes } of stored ?? []) rows.set(replica, JSON.parse(bytes) as Row);
  let commit = (await readMark(store))?.commit ?? 0;
  const { me } = identity;
  const row = (who: string = me) => rows.get(who) ?? noRow;
  let turn: Promise<unknown> = Promise.resolve();

  const refused = () => identity.frozen?.reason === 'fenced';
  /** One commit at a time, the row in memory last. */
  const write = async (who: string, next: Row, records: readonly StoredRecord[] = []) => {
    if (refused()) throw new CffbrwError('FENCED', 'no write after the fence');
    commit += 1;
    const mark = { name: commitRecord, value: `${me} ${commit}` };
    const version = commit;
    await store.commit([{ address, replica: who, version, bytes: JSON.stringify(next) }], [...records, mark]);
    await witness?.write(mark.value);
    rows.set(who, next);
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => {});
    return mine;
  };
  const intentOf = async (who: string): Promise<number | null> => {
    const [found] = await store.records({ prefix: `intent/${who}`, limit: 1 });
    return found === undefined ? null : Number(found.value);
  };
  const registers = () => {
    if (backbone === null) throw new CffbrwError('UNREACHABLE', 'there is no backbone');
    return backbone.registers;
  };
  const readBank = async () => {
    const register = await registers().get(bankName);
    const bank = register.value === null ? emptyBank(stage.initial) : parseBank(register.value);
    return { bank, revision: register.revision };
  };
  const putEntry = async (who: string, entry: { leased: number; returned: number }): Promise<boolean> => {
    for (;;) {
      const { bank, revision } = await readBank();
      const others = Object.entries(bank.leases).filter(([id]) => id !== who);
      const held = others.reduce((sum, [, lease]) => sum + lease.leased - lease.returned, 0);
      if (held + entry.leased - entry.returned > bank.initial) return false;
      const next = printBank({ ...bank, leases: { ...bank.leases, [who]: entry } });
      if ((await registers().compareAndSet(bankName, next, revision)).done) return true;
    }
  };
  /** Compares the bank with what is known here, and takes over a lease whose outcome was unknown. */
  const look = async (who: string): Promise<boolean> => {
    const { bank } = await readBank();
    const entry = bank.leases[who];
    const doubt = judgeLease(entry, row(who), await intentOf(who));
    if (doubt !== null) {
      if (who === me) await identity.disprove(doubt);
      return false;
    }
    if (entry !== undefined && entry.leased > row(who).leased) await write(who, { ...row(who), leased: entry.leased });
    const { leased, returned } = row(who);
    if (entry !== undefined && entry.returned < returned) await putEntry(who, { leased, returned });
    return true;
  };
  const giveBack = async (who: string) => {
    const before = row(who);
    if (rightsOf(before) > 0) await write(who, { ...before, returned: before.returned + rightsOf(before) });
    // Published first: a crash now leaves the backbone with a row beyond the last commit that the incarnation made itself.
    await publishAll();
    const { leased, returned } = row(who);
    if (leased > 0) await putEntry(who, { leased, returned });
  };
  const publishAll = async () => {
    const [all] = await store.load([address]);
    await backbone?.publish((all ?? []).filter(({ replica }) => replica === me || identity.old.some(({ id }) => id === replica)));
  };
  identity.onProven((who) =>
    inTurn(async () => {
      if (await look(who)) await giveBack(who);
    }),
  );
  return {
    identity,
    get alive() {
      return process.alive;
    },
    get rights() {
      return rightsOf(row());
    },
    get spendable() {
      return process.alive && identity.frozen === null ? rightsOf(row()) : 0;
    },
    lease: (units) =>
      inTurn(async () => {
        if (identity.frozen !== null || !(await look(me))) return false;
        const leased = row().leased + units;
        await store.commit([], [{ name: `intent/${me}`, value: String(leased) }]);
        if (!(await putEntry(me, { leased, returned: row().returned }))) return false;
        await write(me, { ...row(), leased });
        return true;
      }),
    take: () =>
      inTurn(async () => {
        if (identity.frozen !== null || rightsOf(row()) <= 0) return false;
        await write(me, { ...row(), taken: row().taken + 1 });
        if (process.alive) stage.sold += 1;
        return true;
      }),
    publish: () => inTurn(publishAll),
    async contact() {
      await identity.contact();
      if (identity.frozen === null && backbone !== null) await inTurn(() => look(me));
    },
    async stop() {
      if (identity.frozen === null && backbone !== null) await inTurn(() => giveBack(me)).catch(() => {});
      await identity.stop().catch(() => {});
      process.kill();
    },
    kill: () => process.kill(),
  };
}
