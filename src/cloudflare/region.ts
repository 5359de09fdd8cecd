/**
 * A region: one object that holds a replica, with the object's SQLite as its store and the hub as its backbone.
 *
 * The replica opens when the object is first asked for something, and everybody who comes meanwhile waits for it. It begins with what the hub
 * has of others, or after a second without. Its identity is proven at the hub: nobody can copy an object's storage, but an operator can set it
 * back (DESIGN, 5).
 *
 * Invariant:
 *   R1  An object that nobody asks for anything ends without a timer, and with an alarm only where something is due at a time: a hold, a
 *       schedule, the end of a window that somebody watches.
 */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { createHandler, type Handler } from '../http/handler.ts';
import { reservedPrefix } from '../http/http.ts';
import { problemResponse, toProblem } from '../http/problem.ts';
import { readRecord } from '../replica/loading.ts';
import { openReplica } from '../replica/open.ts';
import type { Alarm } from '../replica/receive.ts';
import type { Replica } from '../replica/replica.ts';
import { openSites, type Sites } from '../replica/sites.ts';
import type { Cron } from '../workflow/cron.ts';
import type { EdgeAdmin } from './admin.ts';
import { createHubBackbone, type HubBackbone } from './backbone.ts';
import { type Env, type ObjectState, secretsOf, stubOf } from './bindings.ts';
import { emptyUsage, type Usage } from './driver.ts';
import { createObjectHost, sendOutbound } from './host.ts';
import { listenMs } from './hub.ts';
import { workerLog } from './log.ts';
import { knownSince } from './since.ts';
import { openObjectStore } from './store.ts';
import { createStreams, type Streams } from './streams.ts';
import { readRest } from './unread.ts';
import { type Answered, type Mark, objectAnswer, objectHeader, objectRequest, type Push, type Questions } from './wire.ts';
import { within } from './within.ts';

export const hubName = 'hub';
const contactMs = 5_000;
const publishEveryMs = 1_000;
const bankPollMs = 250;
const firstLookMs = 1_000;
const longestLookMs = 5_000;
const sitesMs = 30_000;
const retryMs = 1_000;
/** Where a region notes its name, and what it saw of the hub. */
const nameRecord = 'region';
const markRecord = 'hub';
/** They belong to rows of others, which are only in memory. */
const passing = new Set(['cursor', 'whole']);
const riding = new Set(['commit', 'clock', 'published']);

interface Opened {
  readonly replica: Replica;
  readonly backbone: HubBackbone;
  readonly handler: Handler;
  readonly admin: ((request: Request) => Promise<Response>) | null;
  readonly sites: Promise<Sites>;
  readonly cron: Cron | null;
}

/** What a region can do without. */
export interface RegionParts {
  readonly admin?: EdgeAdmin;
}

/** A region's object, of which the runtime makes one for each name. */
export class RegionObject {
  readonly usage = emptyUsage();
  readonly #app: App;
  readonly #state: ObjectState;
  readonly #env: Env;
  readonly #createAdmin: EdgeAdmin | undefined;
  readonly #host;
  readonly #streams: Streams;
  #opening: Promise<Opened> | null = null;
  #opened: Opened | null = null;
  #askedMs = Number.NEGATIVE_INFINITY;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(app: App, { state, env, admin }: RegionParts & { readonly state: ObjectState; readonly env: Env }) {
    this.#app = app;
    this.#state = state;
    this.#env = env;
    this.#createAdmin = admin;
    const { storage } = state;
    const outbound = app.guardOutbound?.(app.settings.outbound.allow, sendOutbound);
    this.#host = createObjectHost({ storage, usage: this.usage, ...(outbound && { fetch: outbound }) });
    this.#streams = createStreams({ state, path: app.settings.events?.path ?? null, ask: (request) => this.#answer(request) });
  }

  async fetch(request: Request): Promise<Response> {
    if (request.headers.get(objectHeader) === 'usage')
      return Response.json({ ...this.usage, status: this.#opened?.replica.status ?? null });
    const leave = this.#host.enter();
    this.usage.requests += 1;
    try {
      return await this.#serve(request);
    } catch (error) {
      return problemResponse(toProblem(error, this.#host.id, workerLog));
    } finally {
      await readRest(this.#host, request);
      leave();
    }
  }

  async alarm(): Promise<void> {
    this.#host.alarm();
    await this.#open();
  }

  webSocketMessage(): void {}

  async webSocketClose(socket: unknown): Promise<void> {
    this.#streams.closed(socket);
    if (this.#streams.count === 0) await this.#opened?.backbone.look();
  }

  webSocketError(socket: unknown): Promise<void> {
    return this.webSocketClose(socket);
  }

  #serve(request: Request): Response | Promise<Response> {
    switch (request.headers.get(objectHeader)) {
      case null:
        return this.#answer(request);
      case 'push':
        return this.#pushed(request);
      case 'events':
        return this.#stream(request);
      default:
        return this.#woken();
    }
  }

  /** Who was awake may be asked for what it declares. */
  async #woken(): Promise<Response> {
    const before = this.#opened;
    const { sites } = await this.#open();
    if (before !== null) await (await sites).look();
    return Response.json(null);
  }

  async #answer(request: Request): Promise<Response> {
    this.#askedMs = this.#host.elapsed();
    const { handler, admin } = await this.#fresh();
    const isAdmin = admin !== null && new URL(request.url).pathname.startsWith(reservedPrefix);
    return isAdmin ? admin(request) : handler.fetch(request);
  }

  /** What the hub had a moment ago is known here, if it answers. */
  async #fresh(): Promise<Opened> {
    const opened = await this.#open();
    const { elapsed } = this.#host;
    const oldMs = Math.max(opened.backbone.wholeMs ?? Number.NEGATIVE_INFINITY, this.#triedMs) + listenMs;
    if (elapsed() < oldMs) return opened;
    this.#triedMs = elapsed();
    await within(this.#host, firstLookMs, opened.backbone.look());
    return opened;
  }

  async #pushed(request: Request): Promise<Response> {
    if (this.#opening === null && this.#streams.count === 0) return Response.json(false);
    const { backbone } = await this.#open();
    return Response.json(backbone.pushed((await request.json()) as Push));
  }

  async #stream(request: Request): Promise<Response> {
    const { backbone } = await this.#fresh();
    const response = await this.#streams.open(new URL(request.url).search);
    // From now on changes elsewhere wake this object.
    if (this.#streams.count === 1) await within(this.#host, firstLookMs, backbone.look());
    return response;
  }

  #open(): Promise<Opened> {
    if (this.#opened !== null && this.#opened.replica.status.refused !== null) this.#opening = this.#reopen(this.#opened);
    this.#opening ??= this.#begin();
    return this.#opening;
  }

  /** A replica that may not write any more (another one took over, or its storage failed) begins again, and proves anew who it is. */
  async #reopen({ replica, handler, cron, sites }: Opened): Promise<Opened> {
    this.#opened = null;
    await sites.then((opened) => opened.close());
    handler.close();
    await cron?.close();
    await replica.close();
    return this.#begin();
  }

  async #begin(): Promise<Opened> {
    const release = this.#host.hold();
    try {
      const opened = await this.#start();
      this.#opened = opened;
      this.#streams.resume();
      return opened;
    } catch (error) {
      // What the app lacks it lacks until it is deployed again: nobody who asks makes this object try.
      if (!(error instanceof CffbrwError && error.code === 'INVALID_APP')) this.#opening = null;
      throw error;
    } finally {
      release();
    }
  }

  async #start(): Promise<Opened> {
    const { store, name, mark, attach } = await this.#openStore();
    let replica: Replica | null = null;
    try {
      const backbone = this.#connect(name, mark);
      attach(backbone);
      const { variables, strategies } = this.#app;
      const timing = { contactMs, publishEveryMs, bankPollMs };
      replica = await openReplica({
        name,
        variables,
        strategies,
        disk: null,
        host: this.#host,
        store,
        backbone,
        alarm,
        ...timing,
      });
      return await this.#serveWith(replica, backbone);
    } catch (error) {
      await (replica ?? store).close();
      throw error;
    }
  }

  /** The store, and what an earlier life left in it. With each commit goes what was seen of the hub by then. */
  async #openStore() {
    let name = '';
    let seen: Pick<HubBackbone, 'mark'> | null = null;
    const store = openObjectStore({
      ...{ storage: this.#state.storage, usage: this.usage, passing, riding },
      keeps: (replica) => replica.startsWith(`${name}.`),
      along: () => (seen === null ? [] : [{ name: markRecord, value: JSON.stringify(seen.mark) }]),
    });
    const attach = (backbone: HubBackbone): void => {
      seen = backbone;
    };
    try {
      const known = await readRecord(store, nameRecord);
      name = known ?? this.#state.id.name ?? '';
      if (known === null) await store.commit([], [{ name: nameRecord, value: name }]);
      const mark = JSON.parse((await readRecord(store, markRecord)) ?? 'null') as Mark | null;
      return { store, name, mark, attach };
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async #serveWith(replica: Replica, backbone: HubBackbone): Promise<Opened> {
    const [app, host, env] = [this.#app, this.#host, this.#env];
    const context = { app, replica, host, log: workerLog, secrets: secretsOf(app.settings.secrets, env) };
    const handler = createHandler({ ...context, background: (work) => this.#background(work), eventBeats: false });
    const { CFFBRW_TOKEN: token } = env;
    const { usage } = this;
    const hubUsage = async () => objectAnswer<Usage>(await stubOf(env.HUB, hubName).fetch(objectRequest('usage', null)));
    const admin =
      token === undefined ? null : (this.#createAdmin?.({ app, replica, host, backbone, token, usage, hubUsage }) ?? null);
    const sites = openSites({ replica, backbone, host, alarm, lookMs: sitesMs, wake: backbone.wake });
    // Only what is given out asks what others declare.
    const looked = within(this.#host, longestLookMs, sites);
    this.#background(looked); // where nobody asks any more meanwhile, its timer would become an alarm
    replica.holdTakes(looked);
    await within(this.#host, firstLookMs, backbone.begun());
    const since = await knownSince(app, replica, host.now());
    const cron = app.startCron?.({ ...context, plans: app.workflows.values(), backbone, since }) ?? null;
    return { replica, backbone, handler, admin, sites, cron };
  }

  #connect(name: string, mark: Mark | null): HubBackbone {
    const hub = stubOf(this.#env.HUB, hubName);
    const send = async (questions: Questions): Promise<Answered> => {
      const release = this.#host.hold();
      try {
        return await objectAnswer<Answered>(await hub.fetch(objectRequest('questions', questions)));
      } finally {
        // Whoever waits takes back its timer first: left over, it would become an alarm.
        this.#host.after(0, release);
      }
    };
    return createHubBackbone({
      ...{ host: this.#host, name, send, mark, retryMs },
      idleMs: () => Math.min(this.#host.elapsed() - this.#askedMs, 1e9),
      watching: () => this.#streams.count > 0,
      urgent: () => this.#opened?.replica.status.urgent ?? false,
    });
  }

  #background(work: Promise<void>): void {
    const release = this.#host.hold();
    work.catch(() => {}).finally(release);
  }
}

const alarm = ({ kind, message }: Alarm): void => workerLog({ level: 'error', message: `ALARM ${kind}: ${message}` });
