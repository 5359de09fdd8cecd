/**
 * Minting and burning: operators' operations. The total is decided in the row first, durably; the bank follows as soon as it is in reach.
 */
import { CffbrwError } from '../../error.ts';
import type { Address } from '../../strategy/address.ts';
import type { Account } from '../ledger.ts';
import { accountsAt, type Branch, deskAt } from './branch.ts';
import { checkOpen } from './closed.ts';
import type { Desk, Reason } from './desk.ts';
import { openIntent, readIntent, writeRow } from './intent.ts';
import { settled } from './lease.ts';
import { exchangeLocally } from './local.ts';
import { isUnreachable } from './lookup.ts';
import { inTime } from './patience.ts';
import { knownInitial, rowOf } from './rights.ts';
import { checkUnits, defaultTimeoutMs } from './take.ts';
import { obtain } from './waiting.ts';

/** Called in the synchronous block that decides, before it writes: what it writes is durable with the decision, and if it throws, nothing is. */
export type Decided = () => void;
const nobody: Decided = () => {};

/** Adds units to the stock. Durable here when it resolves; it can be spent once the bank shows it. Throws INVALID_NUMBER, OUT_OF_RANGE. */
export async function mint(branch: Branch, address: Address, units: number, decided = nobody): Promise<void> {
  checkUnits(units, 'a mint');
  checkOpen(branch, address);
  for (;;) {
    const [account] = (await accountsAt(branch, [address])) as [Account];
    const desk = deskAt(branch, account);
    await prepare(branch, desk);
    if (branch.ledger.peek(address) !== account) continue;
    const row = rowOf(account, branch.me);
    checkRange(account, row.minted + units);
    decided();
    openIntent(branch, desk, account);
    writeRow(branch, desk, account, { ...row, minted: row.minted + units });
    const told = exchangeLocally(branch, desk);
    const durable = branch.ledger.flush();
    await told;
    await durable;
    return tellBank(branch, desk);
  }
}

function checkRange(account: Account, minted: number): void {
  let all = minted + (knownInitial(account) ?? 0);
  for (const { row } of account.rows.values()) all += row.minted;
  if (Number.isSafeInteger(all)) return;
  throw new CffbrwError('OUT_OF_RANGE', `${account.address.id} would have minted more than 2^53−1 units`, { fix: 'Mint less.' });
}

/** What must be in memory, so that the row and its business (or the local bank) are written in one synchronous block. */
const prepare = async (branch: Branch, desk: Desk): Promise<void> => {
  if (branch.local === null) await readIntent(branch, desk);
  else await branch.local.get(desk.bankName);
};

async function tellBank(branch: Branch, desk: Desk): Promise<void> {
  // What the bank has not been told now it is told as soon as it is in reach.
  if (branch.local === null)
    await inTime(branch, branch.host.elapsed() + defaultTimeoutMs, settled(branch, desk)).catch(ignoreSilence);
}

function ignoreSilence(error: unknown): void {
  if (!isUnreachable(error)) throw error;
}

/** Takes units out of the stock for good. Throws INVALID_NUMBER, OUT_OF_RANGE (so many are not free), UNREACHABLE, RECOVERING. */
export async function burn(branch: Branch, address: Address, units: number, decided = nobody): Promise<void> {
  checkUnits(units, 'a burn');
  checkOpen(branch, address);
  const [account] = (await accountsAt(branch, [address])) as [Account];
  await prepare(branch, deskAt(branch, account));
  const { reason, durable } = await obtain<Outcome>(branch, {
    parts: [{ desk: deskAt(branch, account), units }],
    timeoutMs: defaultTimeoutMs,
    perform([held]) {
      const desk = deskAt(branch, held as Account);
      const row = rowOf(held as Account, branch.me);
      decided();
      openIntent(branch, desk, held as Account);
      writeRow(branch, desk, held as Account, { ...row, burned: row.burned + units, returned: row.returned + units });
      void exchangeLocally(branch, desk);
      return { reason: null, durable: branch.ledger.flush() };
    },
    refuse: (reason) => ({ reason, durable: null }),
  });
  if (reason !== null) throw cannotBurn(account, units, reason);
  await durable;
  await tellBank(branch, deskAt(branch, account));
}

interface Outcome {
  readonly reason: Reason | null;
  /** When what was written in the block that decided is durable. */
  readonly durable: Promise<void> | null;
}

function cannotBurn({ address }: Account, units: number, reason: Reason): CffbrwError {
  if (reason === 'unreachable')
    return new CffbrwError('UNREACHABLE', `the bank of ${address.id} is out of reach: nothing was burned`, {
      fix: 'Try again later.',
    });
  if (reason === 'recovering')
    return new CffbrwError('RECOVERING', `the bank of ${address.id} is recovering: nothing was burned`, {
      fix: 'Try again later.',
    });
  const why = reason === 'exhausted' ? 'there are not so many left' : 'other replicas hold some of them';
  return new CffbrwError('OUT_OF_RANGE', `${units} units of ${address.id} cannot be burned: ${why}`, {
    fix: 'Burn less, or wait until they are returned.',
  });
}
