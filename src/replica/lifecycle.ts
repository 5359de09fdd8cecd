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
  identity.onProven((who) => bank.resume(who));
  await bank.start();
  if (backbone === null || publisher === null) return null;
  if (core.cursor === null) await publisher.addAll();
  else await addUnpublished(core);
  return connectTo(core, backbone);
}

/** What was committed and not published when the last life ended. */
async function addUnpublished({ store, me, published, publisher }: Core): Promise<void> {
  let after = published;
  for (;;) {
    const rows = await store.since(me, after);
    publisher?.add(rows);
    const last = rows.at(-1);
    if (last === undefined || last.version === after) return;
    after = last.version;
  }
}

function connectTo(core: Core, backbone: NonNullable<Core['backbone']>): Connection | null {
  if (core.publisher === null) return null;
  const { host, memory, clock, conflicts, quarantine, alarm, flush, loading, publisher, cursor, contactMs } = core;
  return connect({
    ...{ host, memory, clock, conflicts, quarantine, alarm, flush, loading, publisher, cursor, contactMs, backbone },
    mine: (replica) => core.identity.owns(replica),
    boundedChanged: (slot) => core.bank.rowsChanged(slot.address),
    async contact() {
      await core.identity.contact();
      await core.bank.contact();
    },
  });
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
  connection?.close();
  publisher?.close();
  bank.close();
  await core.store.close();
  await core.witness?.release();
}
