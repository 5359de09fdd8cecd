/**
 * A bank that lived in this store moves whole into the backbone that was configured later: every register by create-if-absent.
 *
 * Which backbone it moves into is durable before the first register is created there, so that no second one ever gets the same stock. Where
 * the backbone has a bank of its own for a counter, two stocks meet: the local rights freeze until an operator adopts, which gives the
 * local rights up and lets the backbone's bank rule.
 *
 * Invariants:
 *   I9   A local bank is created in one backbone at most, and nothing is spent here before all of it is there.
 */
import type { Backbone } from '../../backbone/backbone.ts';
import { invariant } from '../../error.ts';
import type { StoredRecord } from '../../store/store.ts';
import { type Applied, appliedPrefix } from '../bank/kept.ts';
import { parseNamed } from '../bank/once.ts';
import { placeOfText } from '../bank/receipt.ts';
import { parseBank, printBank } from '../bank/record.ts';
import { onceStem, settlePrefix } from '../bank/registers.ts';
import { beginNew, type Holder, save, saveIdentity, saveOld } from './holder.ts';
import { allRecords, type Freeze, registerPrefix, storeIdentity } from './incarnation.ts';
import { changeMembers } from './members.ts';

const bankPrefix = 'bank/';

/** Rejects with UNREACHABLE: it goes on at the next contact. */
export async function moveIn(holder: Holder, backbone: Backbone): Promise<void> {
  const epoch = holder.identity.moving;
  invariant(epoch !== null, 'I9', 'a bank moves, and the backbone it moves into is not durable');
  const local = await allRecords(holder.store, registerPrefix);
  const taken: string[] = [];
  for (const { name, value } of local) {
    const register = name.slice(registerPrefix.length);
    if (!(await create(holder, backbone, register, value)) && register.startsWith(bankPrefix)) taken.push(register);
  }
  // Giving up makes a new incarnation, and that is for a start.
  if (taken.length > 0 && (holder.open || !holder.adopt)) return saveIdentity(holder, { frozen: takenFreeze(taken, epoch) });
  const identity = { ...holder.identity, home: { epoch }, moving: null, frozen: null };
  await save(holder, [storeIdentity(identity), ...leftBy(local)]);
  holder.identity = identity;
  if (taken.length > 0) await giveUp(holder, backbone, taken);
  holder.waiting = null;
  holder.adopt = false;
}

/** Registers that have moved leave the store; what became of a receipt stays, as its issuer's record of it. */
function leftBy(local: readonly { readonly name: string; readonly value: string }[]): StoredRecord[] {
  const applied = new Map<string, Applied>();
  const named = new Map<string, NonNullable<Applied['named']>>(
    local.filter(({ name }) => name.startsWith(registerPrefix + onceStem)).flatMap(confirmedIn),
  );
  for (const { name, value } of local) {
    const prefix = registerPrefix + settlePrefix;
    if (!name.startsWith(prefix)) continue;
    const place = name.slice(prefix.length);
    applied.set(place, { settlement: value as Applied['settlement'], named: named.get(place) ?? null });
  }
  const records = [...applied].map(([place, left]) => ({ name: appliedPrefix + place, value: JSON.stringify(left) }));
  return [...local.map(({ name }) => ({ name, value: null })), ...records];
}

/** A key's grant that was confirmed: its own record is gone, and only the register names it. */
function confirmedIn({ name, value }: { readonly name: string; readonly value: string }) {
  const { receipt: text, expires: deadline, confirmed } = parseNamed(value);
  const { address, id } = placeOfText(text);
  const once = name.slice(registerPrefix.length);
  return confirmed === true ? [[`${address}/${id}`, { text, deadline, once }] as const] : [];
}

/** True when the register is there because this store brought it, now or in an attempt before. */
async function create(holder: Holder, backbone: Backbone, register: string, value: string): Promise<boolean> {
  const mine = register.startsWith(bankPrefix) ? signed(value, holder.identity.id) : value;
  const { done, register: found } = await backbone.registers.compareAndSet(register, mine, null);
  if (done || found.value === mine) return true;
  if (!register.startsWith(bankPrefix) || found.value === null) return false;
  return parseBank(found.value).leases[holder.identity.id] !== undefined;
}

/** With an entry of mine, so that it is recognised when an attempt is repeated after others have used it. */
function signed(value: string, id: string): string {
  const bank = parseBank(value);
  return printBank({ ...bank, leases: { ...bank.leases, [id]: bank.leases[id] ?? { leased: 0, returned: 0 } } });
}

/** The backbone's banks rule: the incarnation with the local rights is retired, and this replica goes on with none. */
async function giveUp(holder: Holder, backbone: Backbone, taken: readonly string[]): Promise<void> {
  const { id } = holder.identity;
  const why = `the backbone's own ${taken.join(', ')} rule since it was adopted`;
  await beginNew(holder, { lacks: why, witness: why, frozen: null });
  await saveOld(holder, id, { state: 'written-off' });
  await changeMembers(backbone.registers, (members) => {
    const member = members.get(id);
    if (member === undefined || member.state === 'retired') return null;
    return new Map([[id, { ...member, state: 'retired', retired: { by: holder.identity.id, at: holder.host.now(), why } }]]);
  });
}

const takenFreeze = (taken: readonly string[], epoch: string): Freeze => ({
  reason: 'frozen',
  message: `bounded counters are frozen, because this replica sold from its own stock before, and the backbone "${epoch}" already has ${taken.join(', ')}`,
  fix: 'Run `cffbrw backbone adopt`: the backbone’s stock then rules, and what is left of the local one is given up.',
});
