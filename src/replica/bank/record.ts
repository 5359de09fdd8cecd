/**
 * What a bank's register holds, and how many units a lease is for. Pure.
 *
 * Invariants:
 *   N1  Σ (leased − returned) + Σ strong ≤ initial + Σ minted − Σ burned, in every record that is written.
 *   N2  What an owner wrote never gets smaller: leased, returned, minted, burned and strong are totals.
 */
import { CffbrwError, invariant } from '../../error.ts';

export interface Lease {
  readonly leased: number;
  readonly returned: number;
}

/** Units that went straight from the bank to takes of one replica; `id` is the random name of the last such take. */
export interface StrongTotal {
  readonly count: number;
  readonly id: string;
}

export interface BankRecord {
  readonly initial: number;
  /** Identity of the backbone that it was created or recovered in; null: it has not been told. */
  readonly epoch: string | null;
  readonly minted: Readonly<Record<string, number>>;
  readonly burned: Readonly<Record<string, number>>;
  readonly leases: Readonly<Record<string, Lease>>;
  readonly strong: Readonly<Record<string, StrongTotal>>;
  /**
   * Set while what was lost is being written again: nobody leases. Who has written already. `everything`: not this bank alone was lost but
   * what the backbone held, so that who has written all its facts there has written here, too.
   */
  readonly recovering: { readonly written: readonly string[]; readonly everything?: boolean } | null;
}

/** All that one replica writes about itself, absolutely. */
export interface Totals extends Lease {
  readonly minted: number;
  readonly burned: number;
}

export const emptyBank = (initial: number, epoch: string | null = null): BankRecord => ({
  ...{ initial, epoch, recovering: null },
  ...{ minted: {}, burned: {}, leases: {}, strong: {} },
});

const formatVersion = 1;

export const printBank = (bank: BankRecord): string => JSON.stringify({ format: formatVersion, ...bank });

export function parseBank(text: string): BankRecord {
  const { format, ...bank } = JSON.parse(text) as BankRecord & { format: number };
  if (format === formatVersion) return { ...bank, epoch: bank.epoch ?? null };
  throw new CffbrwError('STORE_VERSION', `a bank has format ${format}, and this version reads ${formatVersion}`, {
    fix: 'Upgrade CFFBRW here.',
  });
}

const sum = (totals: Readonly<Record<string, number>>): number => {
  let all = 0;
  for (const who in totals) all += totals[who] ?? 0;
  return all;
};

/** Units that nobody holds and nobody took. */
export function freeIn(bank: BankRecord): number {
  let held = 0;
  for (const who in bank.leases) held += leaseOf(bank, who).leased - leaseOf(bank, who).returned;
  for (const who in bank.strong) held += bank.strong[who]?.count ?? 0;
  return bank.initial + sum(bank.minted) - sum(bank.burned) - held;
}

const noLease: Lease = Object.freeze({ leased: 0, returned: 0 });

export const leaseOf = (bank: BankRecord, who: string): Lease => bank.leases[who] ?? noLease;

export const totalsOf = (bank: BankRecord, who: string): Totals => ({
  ...leaseOf(bank, who),
  minted: bank.minted[who] ?? 0,
  burned: bank.burned[who] ?? 0,
});

export const sameTotals = (a: Totals, b: Totals): boolean =>
  a.leased === b.leased && a.returned === b.returned && a.minted === b.minted && a.burned === b.burned;

/** True when no total of `a` is below `b`'s. */
export const covers = (a: Totals, b: Totals): boolean =>
  a.leased >= b.leased && a.returned >= b.returned && a.minted >= b.minted && a.burned >= b.burned;

const withTotal = (totals: Readonly<Record<string, number>>, who: string, total: number) =>
  (totals[who] ?? 0) === total ? totals : { ...totals, [who]: total };

/** The record with `who`'s totals in it. Asserts N1 (unless it is recovering: then others still have to write) and N2. */
export function withTotals(bank: BankRecord, who: string, totals: Totals): BankRecord {
  invariant(covers(totals, totalsOf(bank, who)), 'N2', `${who} would write less into the bank than it shows`);
  const next = {
    ...bank,
    minted: withTotal(bank.minted, who, totals.minted),
    burned: withTotal(bank.burned, who, totals.burned),
    leases: { ...bank.leases, [who]: { leased: totals.leased, returned: totals.returned } },
  };
  checkCovered(next);
  return next;
}

export function withStrong(bank: BankRecord, who: string, total: StrongTotal): BankRecord {
  invariant(total.count >= (bank.strong[who]?.count ?? 0), 'N2', `${who} would write less into the bank than it shows`);
  const next = { ...bank, strong: { ...bank.strong, [who]: total } };
  checkCovered(next);
  return next;
}

export function checkCovered(bank: BankRecord): void {
  if (bank.recovering === null) invariant(freeIn(bank) >= 0, 'N1', 'the bank would hand out more than was minted');
}

/**
 * How many of `free` units to lease: all for the only replica, what is needed when little is left, else half of what is free divided by
 * the active replicas. `needed` 0: nobody waits, and it is for later.
 */
export function leaseSize(free: number, needed: number, active: number): number {
  if (free <= 0) return 0;
  if (active <= 1) return free;
  if (free <= 2 * active) return Math.min(needed, free);
  return Math.min(free, Math.max(needed, Math.floor(free / 2 / active)));
}
