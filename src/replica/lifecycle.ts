/** How a replica begins and ends. */
import { CffbrwError } from '../error.ts';
import { type Connection, connect } from './connection.ts';
import type { Core } from './core.ts';

/** Resumes what the last life left open, and connects. */
export async function begin(core: Core): Promise<Connection | null> {
  const { identity, bank, memory, alarm, publisher, backbone } = core;
  identity.onFenced((error) => {
    memory.refusal ??= error;
    alarm({ kind: 'second-self', message: error.message });
  });
  identity.onRegressed((why) => alarm({ kind: 'regression', message: why }));
  tellDoubts(core);
  identity.onProven((who) => bank.resume(who));
  await bank.start();
  if (backbone === null || publisher === null) {
    core.windows.sweepAlone(bank.removeClosed); // there is no contact to do it at
    await identity.contact(); // rights of an old incarnation that an operator vouched for come back now
    return null;
  }
  const connection = await connected(core, backbone, publisher);
  // A fenced process hears nothing and says nothing: what it holds is another process's now.
  identity.onFenced(() => {
    connection?.close();
    publisher.close();
  });
  return connection;
}

/** What this start may not spend, and only an operator can mend. */
function tellDoubts({ identity, backbone, alarm }: Core): void {
  const { frozen, me, members, old } = identity;
  if (frozen?.reason === 'frozen') alarm({ kind: 'frozen', message: `${frozen.message}. ${frozen.fix}` });
  if (backbone === null) return; // then the freeze says it
  for (const { id, state, witness } of old) {
    if (state !== 'locked' || witness === null || members.get(id)?.state === 'retired') continue;
    const message = `what ${id} held stays locked, because ${witness}; this data directory goes on as ${me}`;
    const fix = `If this is the newest data: cffbrw recover --trust-store. Else, to write it off: cffbrw replicas retire ${id}`;
    alarm({ kind: 'locked', message: `${message}. ${fix}` });
  }
}

async function connected(
  core: Core,
  backbone: NonNullable<Core['backbone']>,
  publisher: NonNullable<Core['publisher']>,
): Promise<Connection | null> {
  // Rows of an incarnation that was given up are rows that only this store may have.
  if (core.published === null) await publisher.addAll();
  else publisher.recheck();
  return connectTo(core, backbone);
}

function connectTo(core: Core, backbone: NonNullable<Core['backbone']>): Connection | null {
  const { publisher } = core;
  if (publisher === null) return null;
  const joined = tellingStrange(core);
  return connect({
    ...core,
    publisher,
    backbone,
    mine: (replica) => core.identity.owns(replica),
    boundedChanged: (slot) => core.bank.rowsChanged(slot.address),
    isSettled: () => core.identity.recovery.over && core.identity.frozen?.reason !== 'unreachable',
    isIdle: () => core.bank.isIdle() && core.identity.epoch !== null,
    async contact() {
      await joined();
      await core.bank.contact();
      await core.windows.sweep(core.bank.removeClosed);
    },
  });
}

/** A backbone that was restored or replaced is joined again when an operator says so, who must hear of it: once for each. */
function tellingStrange({ identity, alarm }: Core): () => Promise<void> {
  let told = '';
  return async () => {
    try {
      await identity.contact();
    } catch (error) {
      if (error instanceof CffbrwError && error.code === 'RECOVERING' && error.message !== told) {
        told = error.message;
        alarm({ kind: 'regression', message: `${error.message}. ${error.fix ?? ''}` });
      }
      throw error;
    }
  };
}

/** A clean stop: returns rights, makes everything durable, tells the backbone, and lets go. What can't be reached now is found again later. */
export async function end(core: Core, connection: Connection | null): Promise<void> {
  const { memory, bank, flush, publisher, identity } = core;
  if (memory.refusal === null) {
    await bank.stop().catch(() => {});
    await flush.all().catch(() => {});
    await publisher?.drain().catch(() => {});
    await flush.all().catch(() => {});
    await identity.stop().catch(() => {});
  }
  memory.refusal ??= new CffbrwError('CLOSED', 'this replica is closed', { fix: 'Open it again.' });
  try {
    connection?.close();
    publisher?.close();
    bank.close();
    core.windows.close();
  } finally {
    await core.store.close();
    await core.witness?.release();
  }
}
