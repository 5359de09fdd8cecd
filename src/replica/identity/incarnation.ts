/**
 * What a store remembers about who wrote it: the incarnation that runs, those that ran before it, and their boot nonces. Names and
 * codecs of these records, and nothing else.
 *
 * An incarnation is one unbroken life of a replica's rights. Its id is `name.incarnation`.
 */
import { CffbrwError } from '../../error.ts';
import type { Host } from '../../host.ts';
import type { Store, StoredRecord } from '../../store/store.ts';
import { commitRecord } from '../witness.ts';
import { type Members, parseMembers, printMembers } from './members.ts';

export const identityRecord = 'identity';
export const oldPrefix = 'old/';
export const noncePrefix = 'nonce/';
/** Every member that this store ever knew of. */
export const membersRecord = 'members';
/** The registers of a bank without a backbone. */
export const registerPrefix = 'register/';
export const storedFormat = 1;

/** Why bounded counters may not be spent here. `message` says what and why, `fix` what to do. */
export interface Freeze {
  readonly reason: 'unreachable' | 'recovering' | 'frozen' | 'fenced';
  readonly message: string;
  readonly fix: string;
}

/** Where the rights of this store come from: nowhere yet, its own bank, or the bank of the backbone with this identity. */
export type Home = null | 'local' | { readonly epoch: string };

export interface IdentityRecord {
  readonly format: number;
  readonly id: string;
  readonly home: Home;
  /** The identity of the backbone that the local bank is moving into, while it moves. */
  readonly moving: string | null;
  /** What was found in the backbone while this incarnation ran, and shows that its disk is not the newest: the next start is another. */
  readonly disproven: string | null;
  /** A freeze that lasts over restarts, until an operator recovers. */
  readonly frozen: Freeze | null;
  /** When an operator wrote off what this store may have sold: counters that were open then start empty here. */
  readonly recoveredAt: number | null;
}

/** An incarnation that ran on this store before, and held rights. */
export interface OldIncarnation {
  readonly id: string;
  /** Its last commit. */
  readonly commit: number;
  /**
   * locked: not proven, nobody may touch its rights. proven: mine, its rights are being returned. returned: so they were; its receipts are still mine to settle.
   * written-off: an operator gave it up.
   */
  readonly state: 'locked' | 'proven' | 'returned' | 'written-off';
  /** null: its disk was proven to be the newest when it ended. Else why not; then only an operator can say so. */
  readonly witness: string | null;
  /** What lacks for its proof, as last seen. */
  readonly lacks: string;
  readonly since: number;
}

/** A boot nonce: `boot` numbers the starts. Intended: it may be in the backbone. Confirmed: it was. */
export interface Nonce {
  readonly boot: number;
  readonly nonce: string;
  readonly confirmed: boolean;
}

/** The value of the commit record and the text of the witness. `previous` is the commit before it, which may be all that the witness saw. */
export interface CommitMark {
  readonly id: string;
  readonly commit: number;
  readonly previous: number;
}

export interface Stored {
  readonly identity: IdentityRecord | null;
  readonly mark: CommitMark | null;
  readonly old: ReadonlyMap<string, OldIncarnation>;
  readonly nonces: ReadonlyMap<string, readonly Nonce[]>;
  readonly members: Members;
}

const namePattern = /^[a-z0-9][a-z0-9-]{0,31}$/;
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const incarnationLength = 10;

/** `name.incarnation`: 50 random bits of the host's, in Crockford's base 32. Throws INVALID_APP for a bad name. */
export function newIncarnation(name: string, host: Host): string {
  if (!namePattern.test(name)) {
    throw new CffbrwError('INVALID_APP', `"${name}" cannot be a replica's name`, {
      fix: 'Use 1 to 32 lower-case letters, digits and hyphens, and begin with a letter or a digit.',
    });
  }
  let bits = BigInt(`0x${host.id()}`);
  let text = '';
  for (let at = 0; at < incarnationLength; at += 1) {
    text += alphabet[Number(bits & 31n)];
    bits >>= 5n;
  }
  return `${name}.${text}`;
}

export const nameOf = (id: string): string => id.slice(0, id.indexOf('.'));

/** The text of a commit. Where commits failed in between it names the one before, so that a witness that stands there is no old one. */
export const markText = (id: string, commit: number, previous = commit - 1): string =>
  previous === commit - 1 ? `${id} ${commit}` : `${id} ${commit} ${previous}`;

/** `<id> <commit>`, and where commits failed in between `<id> <commit> <previous>`; null when it is none of these. */
export function parseMark(text: string): CommitMark | null {
  const found = /^([a-z0-9-]+\.[0-9a-z]+) (\d{1,16})(?: (\d{1,16}))?$/.exec(text);
  if (found?.[1] === undefined) return null;
  const commit = Number(found[2]);
  return { id: found[1], commit, previous: found[3] === undefined ? Math.max(0, commit - 1) : Number(found[3]) };
}

export const storeIdentity = (identity: IdentityRecord): StoredRecord => ({
  name: identityRecord,
  value: JSON.stringify(identity),
});

export const storeOld = (old: OldIncarnation): StoredRecord => ({ name: `${oldPrefix}${old.id}`, value: JSON.stringify(old) });

export const storeMembers = (members: Members): StoredRecord => ({ name: membersRecord, value: printMembers(members) });

const nonceName = (id: string, { boot, nonce }: Nonce): string => `${noncePrefix}${id}/${String(boot).padStart(9, '0')}-${nonce}`;

export const storeNonce = (id: string, nonce: Nonce): StoredRecord => ({
  name: nonceName(id, nonce),
  value: nonce.confirmed ? 'confirmed' : 'intended',
});

export const forgetNonce = (id: string, nonce: Nonce): StoredRecord => ({ name: nonceName(id, nonce), value: null });

/** Everything that a store remembers about who wrote it. Throws STORE_VERSION, STORE_CORRUPT. */
export async function readStored(store: Store): Promise<Stored> {
  const identity = parseIdentity(await oneRecord(store, identityRecord));
  const mark = await readMark(store);
  const old = (await allRecords(store, oldPrefix)).map(({ value }) => parseJson<OldIncarnation>(value, 'an old incarnation'));
  if (identity === null && mark !== null) throw corrupt('it has commits, but not whose they are');
  return {
    identity,
    mark,
    old: new Map(old.map((incarnation) => [incarnation.id, incarnation])),
    nonces: parseNonces(await allRecords(store, noncePrefix)),
    members: parseMembers(await oneRecord(store, membersRecord)),
  };
}

/** The last commit and whose it was; null before the first. Throws STORE_CORRUPT. */
export async function readMark(store: Store): Promise<CommitMark | null> {
  const text = await oneRecord(store, commitRecord);
  const mark = text === null ? null : parseMark(text);
  if (text !== null && mark === null) throw corrupt(`its commit record reads "${text}"`);
  return mark;
}

async function oneRecord(store: Store, name: string): Promise<string | null> {
  const found = await store.records({ prefix: name, limit: 1 });
  return found[0]?.name === name ? found[0].value : null;
}

/** Every record of a prefix, page by page. */
export async function allRecords(store: Store, prefix: string): Promise<{ readonly name: string; readonly value: string }[]> {
  const all: { readonly name: string; readonly value: string }[] = [];
  for (let after = ''; ; ) {
    const page = await store.records(after === '' ? { prefix } : { prefix, after });
    all.push(...page);
    const last = page.at(-1);
    if (last === undefined) return all;
    after = last.name;
  }
}

function parseIdentity(text: string | null): IdentityRecord | null {
  if (text === null) return null;
  const identity = parseJson<IdentityRecord>(text, 'the identity');
  if (identity.format > storedFormat) {
    throw new CffbrwError('STORE_VERSION', `this store has format ${identity.format}, and this version knows ${storedFormat}`, {
      fix: 'Start it with the version of CFFBRW that wrote it, or a newer one.',
    });
  }
  if (typeof identity.id !== 'string' || !identity.id.includes('.')) throw corrupt('its identity names nobody');
  return identity;
}

function parseNonces(records: readonly { readonly name: string; readonly value: string }[]): Map<string, Nonce[]> {
  const nonces = new Map<string, Nonce[]>();
  for (const { name, value } of records) {
    const found = /^nonce\/(.+)\/(\d+)-([0-9a-f]+)$/.exec(name);
    if (found?.[1] === undefined || found[3] === undefined) throw corrupt(`the record "${name}" is no nonce`);
    const nonce = { boot: Number(found[2]), nonce: found[3], confirmed: value === 'confirmed' };
    nonces.set(found[1], [...(nonces.get(found[1]) ?? []), nonce]);
  }
  return nonces;
}

function parseJson<Value>(text: string, what: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch (cause) {
    throw corrupt(`${what} cannot be read`, cause);
  }
}

const corrupt = (why: string, cause?: unknown): CffbrwError =>
  new CffbrwError('STORE_CORRUPT', `this store was damaged: ${why}`, {
    cause,
    fix: 'Restore the data directory from a backup, or start with an empty one.',
  });
