/**
 * After the backbone lost something: every replica writes again what only its store knows. In three stages, because a name can be judged
 * only when it is known what became of each receipt: facts, then what was asked, then names. Nobody begins one before everybody has done the
 * one before it (members.ts); until all have done all, `once` and settling answer `recovering`.
 *
 * It only writes what is durable here, and never decides anything anew: whatever it finds written stays, but a bank's lower totals and a
 * key's grant that is over. Each write can be repeated, so whatever breaks off begins again.
 *
 * Invariant:
 *   N15 A stage is done only when all of it is in the backbone that this replica has joined.
 */
import type { Counter } from '../ledger.ts';
import type { Branch } from './branch.ts';
import { isClosedId } from './closed.ts';
import { settlingPrefix } from './credit.ts';
import {
  appliedPrefix,
  grantedPrefix,
  type KeptReceipt,
  openPrefix,
  placeIn,
  type ReceiptPlace,
  seenPrefix,
  settleName,
} from './kept.ts';
import { lookUp, registersOf } from './lookup.ts';
import { type Decided, decidedPrefix, notify } from './notices.ts';
import { liveGrant, type Named, parseNamed, printNamed } from './once.ts';
import { placeOfText } from './receipt.ts';
import { emptyBank, parseBank, printBank } from './record.ts';
import { beginAgain, isOfAnother, writtenAgain } from './recovery.ts';
import { ensureAuthenticator, secretName } from './secret.ts';
import type { Seen } from './seen.ts';
import type { Asked } from './settle.ts';

const together = 16;

/** Does what is due. Rejects with UNREACHABLE: it goes on at the next contact. */
export async function writeAgain(branch: Branch): Promise<void> {
  const { recovery } = branch.options;
  if (recovery === undefined || recovery.over) return;
  if ((await branch.ledger.loadRecord(secretName)) !== null) await ensureAuthenticator(branch);
  for (const [stage, write] of [
    [1, writeFacts],
    [2, writeAsked],
    [3, writeNames],
  ] as const) {
    if (recovery.stage < stage - 1) return;
    const mine = recovery.mineBefore(stage);
    if (mine.length === 0) continue;
    await write(branch, mine);
    await recovery.done(stage, mine);
  }
}

// ── Facts. ──

async function writeFacts(branch: Branch, mine: readonly string[]): Promise<void> {
  const secret = await branch.ledger.loadRecord(secretName);
  if (secret !== null) await lookUp(branch, secretName, () => secret);
  await eachSeen(branch, async ({ settlement }, place) => {
    if (settlement !== undefined && !isClosedId(branch, place.address)) await lookUp(branch, settleName(place), () => settlement);
  });
  await eachRecord(branch, decidedPrefix, async (_, value) => {
    const { text, settlement } = JSON.parse(value) as Decided;
    const receipt = branch.authenticator?.verify(text) ?? null;
    if (receipt === null || isClosedId(branch, receipt.address)) return;
    await notify(branch, receipt);
    await lookUp(branch, settleName(receipt), () => settlement);
  });
  for (let after: string | null = ''; after !== null; ) {
    const { counters, next } = await branch.ledger.counters(after);
    await inGroups(counters, (counter) => writeBank(branch, counter, mine));
    after = next;
  }
}

/** The bank with all that the rows here prove. Straight from the store: also of counters that this app does not declare. */
async function writeBank(branch: Branch, { id, rows }: Counter, mine: readonly string[]): Promise<void> {
  if (isClosedId(branch, id)) return;
  const name = `bank/${id}`;
  const epoch = branch.options.epoch?.() ?? null;
  const initial = initialIn(rows);
  let { value, revision } = await registersOf(branch).get(name);
  for (;;) {
    if (value === null && initial === null) return; // nobody has seen that bank, so nobody had a unit of it
    const found = value === null ? emptyBank(initial ?? 0, epoch) : parseBank(value);
    const isLost = value === null || isOfAnother(epoch, found);
    const bank = isLost ? beginAgain(found, epoch, true) : found;
    const next = printBank(bank.recovering === null ? bank : writtenAgain(bank, rows, mine));
    if (next === value) return;
    const outcome = await registersOf(branch).compareAndSet(name, next, revision);
    if (outcome.done) return;
    ({ value, revision } = outcome.register);
  }
}

/** What the bank was created with, as the rows show it. */
const initialIn = (rows: Counter['rows']): number | null =>
  [...rows.values()].find((row) => row.initial !== null)?.initial ?? null;

// ── What was asked. ──

/** Whether it had happened is not known, and somebody may have seen it: it happens now, unless something else has. */
const writeAsked = (branch: Branch, mine: readonly string[]): Promise<void> =>
  eachOf(
    branch,
    mine.map((who) => `${settlingPrefix}${who}/`),
    async (_, value) => {
      const { text, asked } = JSON.parse(value) as Asked;
      const place = placeOfText(text);
      if (!isClosedId(branch, place.address)) await lookUp(branch, settleName(place), () => asked);
    },
  );

// ── Names. ──

async function writeNames(branch: Branch, mine: readonly string[]): Promise<void> {
  const prefixes = mine.flatMap((who) => [`${grantedPrefix}${who}/`, `${openPrefix}${who}/`]);
  await eachOf(branch, prefixes, async (_, value) => {
    const kept = JSON.parse(value) as KeptReceipt;
    if (kept.once !== null) await writeName(branch, { ...kept, once: kept.once, claiming: kept.state === 'claiming' });
  });
  await eachSeen(branch, async ({ named }) => {
    if (named != null) await writeName(branch, { ...named, claiming: false });
  });
}

interface Grant {
  readonly text: string;
  readonly deadline: number | null;
  readonly once: string;
  readonly claiming: boolean;
}

/** The key's register names this grant, unless it is over, or the key has another that is not. A mere claim gives way to a grant. */
async function writeName(branch: Branch, { text, deadline, once: name, claiming }: Grant): Promise<void> {
  if (isClosedId(branch, placeOfText(text).address)) return;
  const mine: Named = claiming ? { receipt: text, expires: deadline, claiming } : { receipt: text, expires: deadline };
  if ((await liveGrant(branch, { value: printNamed(mine) })) === null) return;
  let register = await registersOf(branch).get(name);
  for (;;) {
    const named = register.value === null ? null : parseNamed(register.value);
    const isMine = named?.receipt === text && (claiming || named.claiming !== true);
    if (isMine) return;
    const givesWay = !claiming && named?.claiming === true;
    if (!givesWay && named?.receipt !== text && (await liveGrant(branch, register)) !== null) return;
    const outcome = await registersOf(branch).compareAndSet(name, printNamed(mine), register.revision);
    if (outcome.done) return;
    register = outcome.register;
  }
}

// ── Records, page by page. ──

type Write = (name: string, value: string) => Promise<void>;

async function eachRecord(branch: Branch, prefix: string, write: Write): Promise<void> {
  for (let after = ''; ; ) {
    const records = await branch.ledger.page(prefix, after);
    await inGroups(records, ({ name, value }) => write(name, value));
    const last = records.at(-1);
    if (last === undefined) return;
    after = last.name;
  }
}

/** What was applied here, and what was seen of others' receipts. */
async function eachSeen(branch: Branch, write: (seen: Seen, place: ReceiptPlace) => Promise<void>): Promise<void> {
  for (const prefix of [appliedPrefix, seenPrefix])
    await eachRecord(branch, prefix, (name, value) => write(JSON.parse(value) as Seen, placeIn(name, prefix)));
}

async function eachOf(branch: Branch, prefixes: readonly string[], write: Write): Promise<void> {
  for (const prefix of prefixes) await eachRecord(branch, prefix, write);
}

async function inGroups<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += together) await Promise.all(items.slice(at, at + together).map(work));
}
