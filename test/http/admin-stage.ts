import { loadApp } from '../../src/app.ts';
import type { Admin, AdminOptions } from '../../src/http/admin/admin.ts';
import { createAdmin } from '../../src/http/admin/router.ts';
import { createHandler, type Handler } from '../../src/http/handler.ts';
import type { LogEntry } from '../../src/http/problem.ts';
import { nodeHost } from '../../src/node/host.ts';
import { openReplica, type Replica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/memory.ts';

export const token = 'a-token-that-is-long-enough';

const app = `cffbrw: 1
app: shop
description: A small shop
secrets: [SHOP_KEY]
variables:
  stock:   { strategy: bounded-counter, initial: 10 }
  hits:    { strategy: sum-increments, window: { every: day } }
  banner:  { strategy: last-write-wins, initial: hello, schema: { type: string, maxLength: 20 } }
  profile: { strategy: merge-objects, keyed: true }
  bid:     { strategy: max-value, keyed: true }
events: { path: /events, variables: [hits] }
`;
const buy = `cffbrw: 1
workflow: buy
description: Buys some
on:
  http:
    method: POST
    path: /lots/{lot}/buy
    params: { type: object, properties: { lot: { type: integer } } }
    query: { type: object, properties: { quick: { type: boolean, default: false } } }
    body: { type: object, required: [user], properties: { user: { type: string, minLength: 1 }, size: { $ref: "#/$defs/size" } }, $defs: { size: { type: integer } } }
    auth: { bearer: SHOP_KEY }
steps:
  - fail: { status: 409, type: closed, title: The shop is closed }
    when: vars.banner === 'closed'
  - add: hits
  - take: stock
    as: taken
  - respond: { status: 410, body: { ok: false, reason: "\${ taken.reason }" } }
    when: "!taken.ok"
  - parallel:
      one:
        - merge: profile
          key: \${ request.body.user }
          value: { lot: "\${ request.params.lot }" }
      two:
        - raise: bid
          key: \${ request.params.lot }
          value: 5
  - respond: { status: 201, body: { ok: true, left: "\${ taken.left }", user: "for \${ request.body.user }" } }
`;
const look = `cffbrw: 1
workflow: look
on: { http: { method: GET, path: "/lots/{number}/buy", headers: { type: object, properties: { accept: { type: string } } } } }
steps:
  - respond: { headers: { content-type: text/plain }, body: hello }
`;
const any = `cffbrw: 1
workflow: any
on: { http: { method: GET, path: "/{a}/{b}" } }
steps:
  - respond: { body: mine }
`;

export const shop = () =>
  loadApp([
    { path: 'cffbrw.yaml', text: app },
    { path: 'workflows/buy.yaml', text: buy },
    { path: 'workflows/look.yaml', text: look },
    { path: 'workflows/any.yaml', text: any },
  ]);

export interface Shop {
  readonly replica: Replica;
  readonly handler: Handler;
  readonly admin: Admin;
  readonly logged: LogEntry[];
  /** As it is, without a token. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** With the token. */
  get(path: string): Promise<Response>;
  /** With the token: what it answers with 200. */
  json<Body>(path: string): Promise<Body>;
  post(path: string, body: unknown): Promise<Response>;
  buy(user: string, lot?: number): Promise<Response>;
  close(): Promise<void>;
}

export async function openShop(options: Partial<AdminOptions> = {}): Promise<Shop> {
  const logged: LogEntry[] = [];
  const log = (entry: LogEntry) => logged.push(entry);
  const wheel = shop();
  const host = options.host ?? nodeHost;
  const replica = await openReplica({ name: 'hanoi', variables: wheel.variables, host: nodeHost, store: memoryStore() });
  const admin = createAdmin({ app: wheel, replica, host, log, guard: { token, loopback: false }, ...options });
  const secrets = new Map([['SHOP_KEY', 'a-key-of-the-shop']]);
  const handler = createHandler({ app: wheel, replica, host, log, secrets, admin });
  const send = async (path: string, init?: RequestInit) => handler.fetch(new Request(`http://localhost:3000${path}`, init));
  const authorization = `Bearer ${token}`;
  const get = (path: string) => send(path, { headers: { authorization } });
  const json = { 'content-type': 'application/json' };
  return {
    ...{ replica, handler, admin, logged, send, get },
    async json<Body>(path: string) {
      const response = await get(path);
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Body;
    },
    post: (path, body) => send(path, { method: 'POST', body: JSON.stringify(body), headers: { authorization, ...json } }),
    buy: (user, lot = 1) =>
      send(`/lots/${lot}/buy`, {
        method: 'POST',
        body: JSON.stringify({ user }),
        headers: { authorization: 'Bearer a-key-of-the-shop', ...json },
      }),
    async close() {
      handler.close();
      await replica.close();
    },
  };
}
