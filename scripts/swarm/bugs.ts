/**
 * Mistakes that the swarm must find: each is a small change of the sources, made only in the bundle that is run for it. A check that has never
 * failed proves nothing.
 */
import type { BankBug } from '../../src/replica/bank/branch.ts';
import type { Patch } from './bundle.ts';

export interface KnownBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** So many schedules may be played until it is found. */
  readonly budget: number;
  /** Where they begin: not long before one that finds it, where such are rare. Default 1. */
  readonly first?: number;
}

const usualBudget = 1_000;

const bug = (name: string, file: string, [find, replace]: readonly [string, string], budget = usualBudget): KnownBug => ({
  ...{ name, budget },
  patches: [{ file, find, replace }],
});

/** Mechanisms of the bank that tests can switch off. */
const bankBug = (name: BankBug, budget = usualBudget): KnownBug =>
  bug(`bank: ${name}`, 'src/replica/bank/branch.ts', ['options.bugs ?? noBugs', `new Set(['${name}'])`], budget);

const flush = 'src/replica/flush.ts';
const receive = 'src/replica/receive.ts';
const proof = 'src/replica/identity/proof.ts';
const commit = 'await options.store.commit(rows, storedRecords(batch));';

/**
 * Two mechanisms of the bank are not here. `strong by count` shows only where one identity runs twice, which strong takes are for and the swarm
 * leaves out. `intent lowered early` was not found in 4,000 schedules: a compare-and-set must land late between a look at the bank and a crash.
 */
export const knownBugs: readonly KnownBug[] = [
  bug('no sync', 'src/simulate/store.ts', ['syncFailure: 0, syncs: true };', 'syncFailure: 0, syncs: false };']),
  bug('acknowledge before persisting', flush, ['if (commit <= memory.committed) return undefined;', 'return undefined;']),
  bug('output gate off', 'src/replica/open.ts', [
    "slot.commit > committed && slot.variable?.durability !== 'relaxed' ? slot.commit : 0",
    'committed * 0 * slot.commit',
  ]),
  bug('reads pass the output gate', 'src/replica/handle.ts', [
    'const value = replica.read(memory);\n    await replica.durable(replica.commitOf(memory));',
    'const value = replica.read(memory);',
  ]),
  bug('no idempotency', 'src/http/handler.ts', ['(key === null ? executeRun', '(key !== undefined ? executeRun']),
  bug('an answer of a keyed run is not kept', 'src/workflow/keyed.ts', ['head = { ...head, result };', '']),
  {
    name: 'identity reused: no proof asked',
    budget: usualBudget,
    patches: [
      { file: proof, find: "if (state === 'vouched') return null;", replace: 'return null;' },
      { file: proof, find: 'return seen <= commit\n    ? null', replace: 'return true\n    ? null' },
      {
        file: proof,
        find: "if (shown === undefined) return { kind: 'foreign', why: 'another start of the same incarnation has joined since' };",
        replace: "if (shown === undefined) return { kind: 'mine' };",
      },
    ],
  },
  bug(
    'a missing witness proves',
    proof,
    [
      "if (state === 'missing') return 'its witness, the note outside the data directory, is missing';",
      "if (state === 'missing') return null;",
    ],
    6_000,
  ),
  bug('a lease counted twice', 'src/replica/bank/lease.ts', [
    'leased: Math.max(row.leased, shown)',
    'leased: row.leased + shown',
  ]),
  {
    name: 'wall clock instead of stamps',
    budget: usualBudget,
    patches: [
      {
        file: 'src/clock.ts',
        find: 'wall > latest[0] ? [wall, 0] : [latest[0], latest[1] + 1]',
        replace: '[wall, wall === latest[0] ? latest[1] + 1 : 0]',
      },
      {
        file: 'src/clock.ts',
        find: "invariant(compareStamps(next, latest) > 0, 'K1', 'a stamp did not increase');",
        replace: '',
      },
    ],
  },
  bankBug('row before bank'),
  bankBug('no intent'),
  bankBug('intent not durable'),
  bankBug('return before row', 4_000),
  bankBug('stale row'),
  bankBug('generation ignored', 4_000),
  bankBug('lease too much'),
  bankBug('settle overwrites'),
  bankBug('credit twice'),
  bankBug('expire without register'),
  bankBug('once unread'),
  bankBug('claim not durable', 4_000),
  bankBug('loser keeps unit'),
  bug('cursor committed before rows', 'src/replica/connection.ts', [
    'joinRows(options, rows);\n',
    `putRecord(memory, cursorRecord, delivery.cursor);
    await options.flush.durable(pendingCommit(memory));
    await options.loading.hold(addressesOf(rows));
    joinRows(options, rows);
`,
  ]),
  bug('an older row replaces a newer one', receive, ['return received.version > before.version;', 'return true;']),
  bug('quarantine off', receive, ['if (stamp !== null && isAhead(stamp, host.now())) {', 'if (stamp === undefined) {']),
  bug('a failed commit is not reverted', 'src/replica/memory.ts', [
    'slot.dropped = true;\n      memory.slots.delete(slot.address.id);',
    '',
  ]),
  bug('a failed commit number is used again', 'src/replica/memory.ts', [
    'memory.next += 1;\n  memory.flying = 0;',
    'memory.flying = 0;',
  ]),
  bug('witness after the acknowledgement', flush, [
    'await options.witness?.write(mark);',
    'options.witness?.write(mark).catch(() => {});',
  ]),
  bug('publishes bytes that are not committed', flush, [commit, `options.committed(rows);\n${commit}`]),
  bug('forgets what the backbone may not have', 'src/replica/publish.ts', [
    'await backbone.publish(rows);',
    'backbone.publish(rows).catch(() => {});',
  ]),
  bug('a commit of unknown outcome is not looked for', 'src/replica/core.ts', ['publisher?.recheck();', '']),
  bug('a window of another minute', 'src/replica/open.ts', [
    "(window === 'current' ? windowAt(rule, nowMs)",
    "(window === 'current' ? windowAt(rule, nowMs - 60_000)",
  ]),
  bug('a reset loses increments that it had not seen', 'src/strategy/sum-increments.ts', [
    'else if (version >= cancel.version) parts.push(row.sum, -cancel.sum);',
    '',
  ]),
  bug('a removal removes writes that it had not seen', 'src/strategy/merge-view.ts', [
    'removed?.has(leaf.seq) !== true',
    'removed === undefined',
  ]),
  bug('a removed field comes back', 'src/strategy/merge-objects.ts', ['seq > owner.lastSeq || present.has(seq)', 'seq < 0']),
  bug(
    'a recovering bank leases',
    'src/replica/bank/lease.ts',
    ['if (bank.recovering !== null) return planRecovery(branch, desk, account, bank);', ''],
    6_000,
  ),
  {
    ...{ name: 'what was seen of a receipt is not kept', budget: 100, first: 15_200 },
    patches: [
      { file: 'src/replica/bank/seen.ts', find: 'if (now !== before) branch.ledger.putRecord(name, now);', replace: '' },
      { file: 'src/replica/bank/settle.ts', find: 'if (found.value === null) await noteSettling', replace: 'await noteSettling' },
    ],
  },
  {
    name: 'a backbone that lost something is not noticed',
    budget: usualBudget,
    patches: [
      {
        file: 'src/replica/connection.ts',
        find: 'if (identity !== told) await publishAll(identity);',
        replace: 'if (told === null) await publishAll(identity);',
      },
      { file: 'src/replica/connection.ts', find: 'if (delivery.identity !== telling) forgetTold();', replace: '' },
    ],
  },
];
