/**
 * The model of a bounded counter: what was granted and certainly not given back is never more than there was (C2). A grant is a receipt that
 * somebody was told of; nothing else counts. Not what a machine granted or burned whose disk is gone, where nobody else may know of it
 * (`unheard`).
 */
export interface Shelf {
  /** `<variable> <key> <window>` */
  readonly name: string;
  /** The largest bound that anybody declared. */
  readonly initial: number;
  /** Units of mints that may have happened, and of those that did. */
  mintedAtMost: number;
  mintedAtLeast: number;
  burnedAtMost: number;
  burnedAtLeast: number;
  /** Units of takes that nobody was told of for sure. */
  unknown: number;
}

export interface Grant {
  readonly receipt: string;
  readonly machine: string;
  readonly entries: readonly { readonly shelf: Shelf; readonly units: number }[];
  readonly once: string | null;
  readonly hold: boolean;
  /** Somebody asked to give it back, or was told that it was, or that its hold is over. */
  gave: 'no' | 'maybe' | 'yes';
  /** Who asked so, and was not told that nothing was done. */
  gives: number;
  confirmed: boolean;
}

export interface StockModel {
  shelf(name: string, initial: number): Shelf;
  /** Somebody was told that a take was granted. Returns what is wrong with it, or null. */
  granted(grant: Omit<Grant, 'gave' | 'gives' | 'confirmed'>, repeated: boolean): string | null;
  receipts(): readonly string[];
  grant(receipt: string): Grant | undefined;
  /** A give or a confirm begins. */
  settling(receipt: string, asked: 'give' | 'confirm'): void;
  /** It was refused: nothing was done, and nothing will be. */
  unsettled(receipt: string, asked: 'give' | 'confirm'): string | null;
  settled(
    receipt: string,
    asked: 'give' | 'confirm',
    result: { readonly ok: boolean; readonly reason: string | null },
  ): string | null;
  /** A machine's disk was set back or is gone: what it granted is still out. What it gave back, too. */
  judge(shelf: Shelf): string | null;
  shelves(): readonly Shelf[];
  /** Units that may be out. */
  mostOut(shelf: Shelf): number;
}

export function createStockModel(unheard: ReadonlySet<string>): StockModel {
  const shelves = new Map<string, Shelf>();
  const grants = new Map<string, Grant>();
  const order: string[] = [];

  /** Not given back for certain, and no hold that may have run out. */
  const isLive = ({ gave, hold, confirmed, machine }: Grant): boolean =>
    !unheard.has(machine) && (confirmed || (gave === 'no' && !hold));
  const out = (shelf: Shelf, counts: (grant: Grant) => boolean): number => {
    let units = 0;
    for (const grant of grants.values()) {
      if (!counts(grant)) continue;
      for (const entry of grant.entries) if (entry.shelf === shelf) units += entry.units;
    }
    return units;
  };
  const judge = (shelf: Shelf): string | null => {
    const live = out(shelf, isLive);
    const burned = unheard.size > 0 ? 0 : shelf.burnedAtLeast;
    const most = shelf.initial + shelf.mintedAtMost - burned;
    return live <= most ? null : `${live} units of ${shelf.name} are out, and there were ${most}`;
  };
  const judgeAll = ({ entries }: Grant): string | null =>
    entries.map(({ shelf }) => judge(shelf)).find((problem) => problem !== null) ?? null;
  const judgeOnce = (granted: Grant): string | null => {
    if (granted.once === null || !isLive(granted)) return null;
    for (const other of grants.values()) {
      if (other.once !== granted.once || other === granted || !isLive(other)) continue;
      return `${granted.once} has two live grants: ${shortOf(other.receipt)} and ${shortOf(granted.receipt)}`;
    }
    return null;
  };
  return {
    shelf(name, initial) {
      const known = shelves.get(name) ?? { ...{ name, initial, unknown: 0 }, ...noTotals };
      shelves.set(name, known);
      return known;
    },
    granted(told, repeated) {
      const known = grants.get(told.receipt);
      if (known !== undefined)
        return repeated || known.once !== null ? null : `the receipt ${shortOf(told.receipt)} was granted twice`;
      const grant: Grant = { ...told, gave: 'no', gives: 0, confirmed: false };
      grants.set(grant.receipt, grant);
      order.push(grant.receipt);
      return judgeAll(grant) ?? judgeOnce(grant);
    },
    receipts: () => order,
    grant: (receipt) => grants.get(receipt),
    settling(receipt, asked) {
      const grant = grants.get(receipt);
      if (grant === undefined || asked === 'confirm') return;
      grant.gives += 1;
      if (grant.gave === 'no') grant.gave = 'maybe';
    },
    unsettled(receipt, asked) {
      const grant = grants.get(receipt);
      if (grant === undefined || asked === 'confirm') return null;
      grant.gives -= 1;
      if (grant.gives > 0 || grant.gave === 'yes') return null;
      grant.gave = 'no';
      return judgeAll(grant);
    },
    settled(receipt, asked, { ok, reason }) {
      const grant = grants.get(receipt);
      if (grant === undefined) return ok ? `a forged receipt was settled: ${shortOf(receipt)}` : null;
      if ((ok && asked === 'give') || reason === 'given' || reason === 'expired') grant.gave = 'yes';
      if ((ok && asked === 'confirm') || reason === 'confirmed') grant.confirmed = true;
      if (grant.gave === 'yes' && grant.confirmed) return `${shortOf(receipt)} was given back and confirmed`;
      return judgeAll(grant);
    },
    judge,
    shelves: () => [...shelves.values()],
    mostOut: (shelf) => out(shelf, ({ gave }) => gave !== 'yes') + shelf.unknown,
  };
}

const noTotals = { mintedAtMost: 0, mintedAtLeast: 0, burnedAtMost: 0, burnedAtLeast: 0 };
const shortOf = (receipt: string): string => receipt.slice(0, 8);
