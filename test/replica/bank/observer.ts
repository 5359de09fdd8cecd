/**
 * Sees everything at once: what was acknowledged, what the registers hold and have held, and what is on every disk. Knows the one-line model
 * (stock = initial + minted − burned − what was granted and not given back) and nothing of how the bank works.
 */
import { freeIn, leaseOf, parseBank, totalsOf } from '../../../src/replica/bank/record.ts';
import { emptyRow } from '../../../src/replica/bank/rights.ts';
import type { SettleResult, TakeResult } from '../../../src/replica/replica.ts';
import type { DiskSnapshot } from '../../../src/simulate/store.ts';
import { memoryStore, type Store } from '../../../src/store/index.ts';
import type { BoundedRow } from '../../../src/strategy/bounded-counter.ts';

export interface AskedTake {
  readonly units: ReadonlyMap<string, number>;
  readonly once: string | null;
}

interface Acknowledged extends AskedTake {
  readonly id: string;
  settled: string | null;
  /** Answered by the one that decided it (others say `repeated`). */
  granted: boolean;
  gaveOk: boolean;
  confirmedOk: boolean;
}

export class Violation extends Error {}

export interface Observer {
  readonly store: Store;
  /** Called when a take was answered ok and everything behind it is durable. */
  acknowledged(asked: AskedTake, result: TakeResult): void;
  settledAs(receipt: string, asked: 'give' | 'confirm', result: SettleResult): void;
  receipts(): string[];
  committed(disks: ReadonlyMap<string, DiskSnapshot>): void;
  minted(address: string, units: number): void;
  bank(address: string): ReturnType<typeof parseBank> | null;
  /** Units that were acknowledged and are neither given back nor expired. */
  live(address: string): number;
  readonly grants: number;
}

const idOf = (receipt: string): string => receipt.slice(0, 32);

export const rowsOn = (disk: DiskSnapshot, address: string, who: string): BoundedRow => {
  const row = disk.rows.find((stored) => stored.address === address && stored.replica === who);
  return row === undefined ? emptyRow : (JSON.parse(row.bytes) as BoundedRow);
};

export function createObserver(
  addresses: readonly string[],
  initial: number,
  disksNow: () => ReadonlyMap<string, DiskSnapshot>,
  connected = true,
): Observer {
  const kept = memoryStore();
  const registers = new Map<string, string>();
  const settlements = new Map<string, string>();
  const shown = new Map<string, number>();
  const receipts = new Map<string, Acknowledged & { text: string }>();
  const mintedHere = new Map<string, number>();
  let grants = 0;

  const demand = (holds: boolean, what: () => string) => {
    if (!holds) throw new Violation(what());
  };
  const live = (address: string): number => {
    let sum = 0;
    for (const receipt of receipts.values()) {
      if (receipt.settled !== 'give' && receipt.settled !== 'expire') sum += receipt.units.get(address) ?? 0;
    }
    return sum;
  };
  const stock = (address: string): number => {
    let burned = 0;
    let minted = 0;
    for (const [who, disk] of disksNow()) {
      const row = rowsOn(disk, address, who);
      burned += row.burned;
      minted += row.minted;
    }
    return initial + minted - burned;
  };
  /** Without a backbone the registers are records of the one disk. */
  const readLocal = () => {
    for (const disk of disksNow().values()) {
      for (const { name, value } of disk.records) {
        if (name.startsWith('register/') && value !== null) localWritten(name.slice(9), value);
      }
    }
  };
  const localWritten = (name: string, value: string) => {
    if (!name.startsWith('bank/')) return registerWritten(name, value);
    const address = name.slice(5);
    const bank = parseBank(value);
    registers.set(name, value);
    demand(freeIn(bank) >= 0, () => `N1: the bank of ${address} has ${freeIn(bank)} free`);
    for (const [who, disk] of disksNow()) {
      const row = rowsOn(disk, address, who);
      shown.set(`${who} ${address}`, leaseOf(bank, who).leased);
      demand(leaseOf(bank, who).leased === row.leased, () => `the local bank of ${address} and its row are not one transaction`);
    }
  };
  const checkB = (address: string, why: string) =>
    demand(
      live(address) <= stock(address),
      () =>
        `B: ${live(address)} units of ${address} are out, of ${stock(address)} (${why}) ${JSON.stringify([...disksNow()].map(([who, disk]) => [who, rowsOn(disk, address, who)]))}`,
    );

  const checkBankWrite = (address: string, text: string) => {
    const bank = parseBank(text);
    demand(freeIn(bank) >= 0, () => `N1: the bank of ${address} has ${freeIn(bank)} free`);
    for (const [who, disk] of disksNow()) {
      const row = rowsOn(disk, address, who);
      const totals = totalsOf(bank, who);
      const intent = Number(disk.records.find(({ name }) => name === `intent/${who}/${address}`)?.value ?? 0);
      const ceiling = Math.max(intent, row.leased);
      demand(
        totals.leased <= ceiling,
        () => `N4: the bank shows ${totals.leased} leased to ${who}, its durable intent is ${ceiling}`,
      );
      demand(
        totals.returned <= row.returned,
        () => `N5: the bank shows ${totals.returned} returned by ${who}, its durable row ${row.returned}`,
      );
      demand(
        totals.minted <= row.minted && totals.burned <= row.burned,
        () => `N5: the bank shows more minted or burned than ${who} has`,
      );
      const name = `${who} ${address}`;
      shown.set(name, Math.max(shown.get(name) ?? 0, leaseOf(bank, who).leased));
    }
  };
  const recordsNow = (): string[] => [...disksNow().values()].flatMap(({ records }) => records.map((record) => record.name));
  /** A notice is taken away only when its issuer has applied it durably. */
  const checkLearnt = (issuer: string, before: string | undefined, value: string) => {
    const left = new Set(JSON.parse(value) as string[]);
    const gone = (JSON.parse(before ?? '[]') as string[]).filter((text) => !left.has(text)).map(idOf);
    const applied =
      disksNow()
        .get(issuer)
        ?.records.filter((record) => record.name.startsWith('applied/')) ?? [];
    for (const id of gone) {
      demand(
        applied.some((record) => record.name.endsWith(id)),
        () => `the notice of ${id} is taken away, and ${issuer} has not applied it`,
      );
    }
  };
  const registerWritten = (name: string, value: string) => {
    const before = registers.get(name);
    registers.set(name, value);
    if (name.startsWith('bank/')) checkBankWrite(name.slice(5), value);
    if (name.startsWith('notices/')) checkLearnt(name.slice(8), before, value);
    if (!name.startsWith('settle/')) return;
    if (connected && before === undefined && value !== 'expire') {
      const noted = recordsNow().some((record) => record.startsWith('settling/') && record.endsWith(name.slice(-32)));
      demand(noted, () => `${name} is written, and no disk says that it was asked for`);
    }
    settlements.set(name.slice(-32), value);
    demand(before === undefined || before === value, () => `N10: ${name} was ${before} and became ${value}`);
    const receipt = receipts.get(name.slice(-32));
    if (receipt !== undefined) receipt.settled = value;
  };
  const store: Store = {
    ...kept,
    commit(rows, records) {
      for (const { name, value } of records) {
        if (!name.startsWith('register/') || value === null) continue;
        const written = JSON.parse(value) as { value: string };
        registerWritten(name.slice(9), written.value);
      }
      return kept.commit(rows, records);
    },
  };
  return {
    store,
    get grants() {
      return grants;
    },
    live,
    acknowledged({ units, once }, result) {
      if (!connected) readLocal();
      if (!result.ok || result.receipt === null) return;
      const id = idOf(result.receipt);
      // A paused claimer may learn only now that it had won, after somebody else gave its grant back: then this is no live grant.
      const before = settlements.get(id) ?? null;
      if (once !== null && before !== 'give' && before !== 'expire') {
        for (const other of receipts.values()) {
          const isLive = other.settled !== 'give' && other.settled !== 'expire';
          demand(
            other.id === id || other.once !== once || !isLive,
            () => `once: ${once} has two live grants, ${other.id} and ${id}`,
          );
        }
      }
      const known = receipts.get(id);
      demand(result.repeated || known?.granted !== true, () => `the receipt ${id} was granted twice`);
      if (known !== undefined) {
        known.granted ||= !result.repeated;
        return;
      }
      grants += 1;
      receipts.set(id, {
        id,
        text: result.receipt,
        units,
        once,
        settled: before,
        granted: !result.repeated,
        gaveOk: false,
        confirmedOk: false,
      });
      for (const address of units.keys()) checkB(address, `take of ${units.get(address)}`);
    },
    settledAs(text, asked, result) {
      if (!connected) readLocal();
      const receipt = receipts.get(idOf(text));
      if (receipt === undefined) return demand(!result.ok, () => `a forged receipt was settled: ${text}`);
      if (!result.ok) return;
      if (asked === 'give') receipt.gaveOk = true;
      else receipt.confirmedOk = true;
      demand(!(receipt.gaveOk && receipt.confirmedOk), () => `N10: ${receipt.id} was given back and confirmed`);
      demand(settlements.get(receipt.id) === asked, () => `N10: ${asked} of ${receipt.id} was answered ok, and is not written`);
    },
    receipts: () => [...receipts.values()].map(({ text }) => text),
    minted: (address, units) => void mintedHere.set(address, (mintedHere.get(address) ?? 0) + units),
    bank: (address) => {
      const text = registers.get(`bank/${address}`);
      return text === undefined ? null : parseBank(text);
    },
    committed(disks) {
      if (!connected) readLocal();
      for (const address of addresses) {
        let out = 0;
        for (const [who, disk] of disks) {
          const row = rowsOn(disk, address, who);
          out += row.taken - row.given;
          demand(
            row.leased <= (shown.get(`${who} ${address}`) ?? 0),
            () => `N4: ${who}'s row shows ${row.leased} leased, and the bank never did`,
          );
          demand(
            row.leased - row.returned - row.taken + row.given + row.strong >= 0,
            () => `N7: ${who} has negative rights of ${address}: ${JSON.stringify(row)}`,
          );
        }
        demand(out <= stock(address), () => `B: ${out} units of ${address} are taken in durable rows, of ${stock(address)}`);
        demand(
          live(address) <= out,
          () => `${live(address)} units of ${address} are out, and durable rows say ${out}: a unit was given back twice`,
        );
      }
    },
  };
}
