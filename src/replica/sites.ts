/**
 * What replicas tell each other about themselves, in one register each: when they were there, what they hold, and how they declare each
 * variable. Whoever declares one otherwise than the one that has had it for longest, of those that are there, gives out nothing of it:
 * two declarations are two stocks.
 *
 * Times are the backbone's.
 */
import type { Backbone, Register, Registers } from '../backbone/backbone.ts';
import type { Host } from '../host.ts';
import { canonical, type Json } from '../strategy/json.ts';
import type { Variable } from '../strategy/variable.ts';
import { type Member, type Members, readMembers } from './identity/members.ts';
import type { Alarm } from './receive.ts';
import type { Replica } from './replica.ts';

interface Declared {
  /** What must be the same everywhere, as JSON. */
  readonly text: string;
  readonly sinceMs: number;
}

interface SiteRecord {
  readonly format: 1;
  readonly seenMs: number;
  readonly commit: number;
  readonly unpublished: number;
  readonly lagMs: number | null;
  readonly leases: readonly { readonly address: string; readonly units: number }[];
  readonly declared: Readonly<Record<string, Declared>>;
}

/** One incarnation that ever joined, for operators. */
export interface SiteFacts extends Pick<Member, 'name' | 'state' | 'retired'> {
  readonly id: string;
  /** null: it has not told yet. */
  readonly seenMs: number | null;
  readonly commit: number;
  readonly unpublished: number;
  /** null: it has told none, for it had never heard all of the others. */
  readonly lagMs: number | null;
  readonly leases: SiteRecord['leases'];
  /** Variables that it declares otherwise than those that had them before. */
  readonly differs: readonly string[];
}

export interface Sites {
  /** Tells, and looks what others told. Rejects with UNREACHABLE. */
  look(): Promise<void>;
  close(): void;
}

export interface SitesOptions {
  readonly replica: Replica;
  readonly backbone: Backbone;
  readonly host: Host;
  readonly alarm: (alarm: Alarm) => void;
  /** How often it tells and looks. Default 10 s. */
  readonly lookMs?: number;
  /**
   * Asks replicas, by name, to tell again. Where they sleep, and a deploy has changed all, those that were not asked for anything since still
   * show what they declared before.
   */
  readonly wake?: (names: readonly string[]) => void;
}

/** Who has not told anything for so long is not there: its declarations count no more. */
const goneMs = 60_000;
/** So often who has never seen what others declare looks again, and who gives out nothing because of it. */
const unknownMs = 1_000;
/** So soon after others were woken. */
const wokenMs = 500;
const shownLeases = 100;

const registerOf = (id: string) => `site/${id}`;

/** What makes a variable another one, or its stock another one. */
export const declarationText = ({ strategy, keyed, window, initial }: Variable): string =>
  canonical({
    ...{ strategy, keyed, initial: initial ?? null },
    window: window === undefined ? null : { every: window.every, timezone: window.timezone ?? null },
  } as unknown as Json);

/** Looks once before it resolves, where the backbone can be reached. */
export async function openSites(options: SitesOptions): Promise<Sites> {
  const { replica, backbone, host, lookMs = 10_000 } = options;
  const told = new Map<string, string>();
  /** What others declare has been seen once. */
  let known = false;
  let differs = false;
  /** Each is woken once: who then still shows what it showed is there, and runs what was there before. */
  const woken = new Set<string>();
  let soon = false;
  let closed = false;
  let cancel = () => {};

  async function look(): Promise<void> {
    const { registers } = backbone;
    // Who joins after the list was read has told less long ago, and so finds what is told here.
    const asked = [backbone.now(), registers.get(registerOf(replica.id)), readMembers(registers)] as const;
    const [nowMs, own, members] = await Promise.all(asked);
    const telling = tell(registers, replica, { nowMs, own });
    if (backbone.inOrder !== true) await telling;
    const [sites] = await Promise.all([readSites(registers, members), telling]);
    const rulers = compare(present(sites, nowMs));
    differs = rulers.length > 0;
    wake(rulers);
    // Who has not joined yet is not among them, and was compared with nobody.
    known ||= sites.some(({ id }) => id === replica.id);
  }

  /** Answers with those whose declarations are in force against mine. */
  function compare(sites: readonly Site[]): readonly Site[] {
    const rulers = new Set<string>();
    const declared = new Map(sites.map(({ id, record }) => [id, record?.declared ?? {}]));
    const mine = declared.get(replica.id) ?? {};
    for (const variable of replica.variables.keys()) {
      const rule = ruling(sites, variable);
      const own = mine[variable];
      const differs = rule !== null && own !== undefined && rule.declared.text !== own.text;
      note(variable, differs ? describe(variable, own, rule) : null);
      if (differs) rulers.add(rule.id);
    }
    return sites.filter(({ id }) => rulers.has(id));
  }

  function wake(rulers: readonly Site[]): void {
    const asleep = rulers.filter(({ id }) => !woken.has(id));
    if (options.wake === undefined || asleep.length === 0) return;
    for (const { id } of asleep) woken.add(id);
    options.wake(asleep.map(({ member }) => member.name));
    soon = true;
  }

  function note(variable: string, why: string | null): void {
    replica.withhold(variable, why);
    if (why === null) told.delete(variable);
    else if (told.get(variable) !== why) options.alarm({ kind: 'declaration', message: why });
    if (why !== null) told.set(variable, why);
  }

  function schedule(): void {
    if (closed) return;
    const later = known && !soon && host.whenAwake !== undefined ? host.whenAwake : host.after;
    const delayMs = soon ? wokenMs : known && !differs ? lookMs : Math.min(lookMs, unknownMs);
    soon = false;
    cancel = later(delayMs, () => {
      look()
        .catch(() => {}) // out of reach: what was known stays
        .finally(schedule);
    });
  }
  await look().catch(() => {});
  schedule();
  return {
    look,
    close() {
      closed = true;
      cancel();
    },
  };
}

const describe = (variable: string, own: Declared, { id, declared }: Ruling): string =>
  `${variable} is declared here as ${own.text}, and ${id} has had it as ${declared.text} for longer: nothing of it is given out here until they agree`;

async function tell(
  registers: Registers,
  replica: Replica,
  { nowMs, own }: { readonly nowMs: number; readonly own: Register },
): Promise<void> {
  const before = parse(own.value)?.declared ?? {};
  const { commit, unpublished, lagMs } = replica.status;
  const declared = Object.fromEntries(
    [...replica.variables].map(([name, variable]) => {
      const text = declarationText(variable);
      const known = before[name];
      return [name, known?.text === text ? known : { text, sinceMs: nowMs }];
    }),
  );
  const leases = [...replica.leases()].sort((a, b) => b.units - a.units).slice(0, shownLeases);
  const record: SiteRecord = {
    ...{ format: 1, seenMs: nowMs, commit, unpublished, lagMs: heardMs(lagMs, nowMs), declared },
    leases: leases.map(({ address, units }) => ({ address: address.id, units })),
  };
  await registers.compareAndSet(registerOf(replica.id), JSON.stringify(record), own.revision);
}

/** Who has never heard all of the others is as far behind as 1970, which is no age. */
const heardMs = (lagMs: number | null, nowMs: number): number | null => (lagMs === null || lagMs > nowMs / 2 ? null : lagMs);

function parse(text: string | null): SiteRecord | null {
  if (text === null) return null;
  const record = JSON.parse(text) as SiteRecord;
  return record.format === 1 ? record : null;
}

interface Site {
  readonly id: string;
  readonly member: Member;
  readonly record: SiteRecord | null;
}

async function readSites(registers: Registers, members: Members): Promise<readonly Site[]> {
  const known = [...members];
  const values = await Promise.all(known.map(([id]) => registers.get(registerOf(id))));
  return known.map(([id, member], index) => ({ id, member, record: parse(values[index]?.value ?? null) }));
}

const present = (sites: readonly Site[], nowMs: number): readonly Site[] =>
  sites.filter(({ member, record }) => member.state === 'active' && record !== null && nowMs - record.seenMs < goneMs);

interface Ruling {
  readonly id: string;
  readonly declared: Declared;
}

/** The declaration of whoever has had the variable for longest. */
function ruling(sites: readonly Site[], variable: string): Ruling | null {
  let best: Ruling | null = null;
  for (const { id, record } of sites) {
    const declared = record?.declared[variable];
    if (declared === undefined) continue;
    const isOlder = best === null || declared.sinceMs < best.declared.sinceMs;
    if (isOlder || (declared.sinceMs === best?.declared.sinceMs && id < best.id)) best = { id, declared };
  }
  return best;
}

/** Every incarnation that ever joined. Rejects with UNREACHABLE. */
export async function listSites(backbone: Backbone): Promise<readonly SiteFacts[]> {
  const { registers } = backbone;
  const [sites, nowMs] = [await readSites(registers, await readMembers(registers)), await backbone.now()];
  const there = present(sites, nowMs);
  return sites.map(({ id, member: { name, state, retired, commit }, record }) => ({
    ...{ id, name, state, ...(retired !== undefined && { retired }) },
    seenMs: record?.seenMs ?? null,
    commit: Math.max(commit, record?.commit ?? 0),
    unpublished: record?.unpublished ?? 0,
    lagMs: record?.lagMs ?? null,
    leases: record?.leases ?? [],
    differs: Object.entries(record?.declared ?? {})
      .filter(([variable, { text }]) => (ruling(there, variable)?.declared.text ?? text) !== text)
      .map(([variable]) => variable),
  }));
}
