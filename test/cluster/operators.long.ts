/** What operators do, with real processes on a real PostgreSQL. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTemporary } from '../e2e/process.ts';
import { newSchema } from '../node/backbone-bench.ts';
import { password, startPostgres, type TestServer } from '../node/backbone-postgres.ts';
import { openSite, type Site } from './cluster.ts';

const ledger = join(import.meta.dirname, '../e2e/apps/ledger');
let server: TestServer;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

interface Stage {
  readonly home: string;
  readonly schema: string;
  site(name: string, directory?: string): Promise<Site>;
}

async function onStage(use: (stage: Stage) => Promise<void>): Promise<void> {
  const schema = newSchema();
  await inTemporary(async (home) => {
    const sites: Site[] = [];
    try {
      await use({
        ...{ home, schema },
        async site(name, directory = ledger) {
          const site = await openSite(name, { server, home, directory, schema });
          sites.push(site);
          return site;
        },
      });
    } finally {
      await Promise.all(sites.map((site) => site.close()));
    }
  });
}

test('replicas lists who is there, and retire gives up one that never comes back, at a price that it names', () =>
  onStage(async ({ site, schema }) => {
    const [fra, sin] = [await site('fra'), await site('sin')];
    // A look makes nothing: what is named may be somebody else's database.
    for (const args of [
      ['replicas', 'list'],
      ['replicas', 'retire', 'fra', '--why', 'it burned', '--yes'],
    ])
      expect(await sin.run(args)).toEqual({ code: 1, output: expect.stringMatching(/no CFFBRW backbone in [\s\S]*→ Check/) });
    expect(await server.admin()`select to_regnamespace(${schema}) as name`).toEqual([{ name: null }]);
    await fra.start();
    await sin.start();
    await expect.poll(() => fra.app?.output()).toMatch(/this is fra\.\w+, on 127\.0\.0\.1:\d+\/postgres \(schema \w+\)$/m);
    expect((await fra.post('/grab', { user: 'a' })).body.ok).toBe(true);
    await fra.stop('SIGKILL');
    const { code, output } = await sin.run(['replicas', 'list']);
    expect([code, output]).toEqual([0, expect.stringMatching(/fra\s+\w{4,}[\s\S]*sin\s+\w{4,}/)]);

    expect((await sin.run(['replicas', 'retire', 'fra'])).output).toContain('--why');
    const asked = await sin.run(['replicas', 'retire', 'fra', '--why', 'it burned']);
    expect([asked.code, asked.output]).toEqual([2, expect.stringMatching(/At worst \d+ unit\(s\)[\s\S]*--yes/)]);
    const plan = await sin.admin('/v1/replicas/fra/retire', { method: 'POST', body: '{"why":"it burned"}' });
    expect(plan.body).toMatchObject({ worstCase: expect.any(Number), retired: [expect.stringMatching(/^fra\./)] });
    const done = await sin.run(['replicas', 'retire', 'fra', '--why', 'it burned', '--yes']);
    expect([done.code, done.output]).toEqual([0, expect.stringContaining('Retired: fra.')]);
    expect((await sin.run(['replicas', 'list'])).output).toMatch(/fra\.\w+ was retired by \S+ on \S+: it burned/);

    // It comes back as another one, and gives out nothing of what was given up.
    const again = await fra.start();
    expect(again.output()).not.toContain('Error');
    expect((await fra.admin('/v1/replica')).body.id).not.toBe((plan.body.retired as string[])[0]);
  }));

test('a replica that declares a variable otherwise says so and gives out nothing of it, until the others have stopped', () =>
  onStage(async ({ home, site }) => {
    const other = join(home, 'app');
    await cp(ledger, other, { recursive: true });
    const file = join(other, 'cffbrw.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('initial: 10', 'initial: 99'));
    const [fra, sin] = [await site('fra'), await site('sin', other)];
    await fra.start();
    const started = await sin.start();
    expect(started.output()).toMatch(/ALARM declaration: stock is declared here as .*99.*fra\.\w+ has had it as .*10/);
    expect((await sin.post('/grab', { user: 'a' })).body).toMatchObject({ ok: false, reason: 'held-elsewhere' });
    expect((await fra.post('/grab', { user: 'a' })).body.ok).toBe(true);
    expect((await sin.admin('/health')).body.withheld).toMatchObject({ stock: expect.any(String) });
    expect(await sin.metrics()).toMatch(/cffbrw_withheld_variables\{[^}]*\} 1/);
    expect((await sin.run(['replicas', 'list'])).output).toContain('otherwise: stock');
    await fra.stop();
    await expect.poll(async () => (await sin.post('/grab', { user: 'a' })).body.ok, { timeout: 30_000 }).toBe(true);
  }));

test('a role that may not create tables is told what to do, and doing that helps', () =>
  onStage(async ({ site, schema }) => {
    const sql = server.admin();
    const role = `plain_${schema}`;
    await sql.unsafe(`create role ${role} login password 'plain-password-1'`);
    await sql.unsafe('revoke create on database postgres from public');
    const fra = await site('fra');
    const url = `postgres://${role}:plain-password-1@127.0.0.1:${server.port}/postgres?schema=${schema}`;
    const refused = await fra.run(['start', ledger, '--data', fra.data, '--port', '0', '--backbone', url]);
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('cffbrw backbone sql')]);
    expect(refused.output).not.toContain('plain-password-1');
    const { output } = await fra.run(['backbone', 'sql', '--schema', schema, '--grant', role]);
    await sql.unsafe(output).simple();
    await fra.start(['--backbone', url]);
    expect((await fra.post('/grab', { user: 'a' })).body.ok).toBe(true);
  }));

test('a wrong password is told at the start, and stands in no output', () =>
  onStage(async ({ site }) => {
    const fra = await site('fra');
    const wrong = fra.environment.CFFBRW_BACKBONE?.replace(/:[^:@]*@/, ':wr0ng-passw0rd@') ?? '';
    const { code, output } = await fra.run(['start', ledger, '--data', fra.data, '--port', '0', '--backbone', wrong]);
    expect([code, output]).toEqual([1, expect.stringMatching(/password authentication failed[\s\S]*→ .*PGPASSWORD/)]);
    expect(output).not.toContain('wr0ng-passw0rd');
  }));

test('a backbone that was emptied is not joined again before an operator says so, for each replica', () =>
  onStage(async ({ site, schema }) => {
    const [fra, sin] = [await site('fra'), await site('sin')];
    await fra.start();
    await sin.start();
    const first = await fra.post('/take', { user: 'ann' });
    expect(first.body.ok).toBe(true);
    const sql = server.admin();
    await sql.unsafe(`truncate ${schema}.rows, ${schema}.registers`);
    await expect.poll(async () => (await sin.post('/take', { user: 'bob' })).body.reason, { timeout: 15_000 }).toBe('recovering');
    await expect.poll(() => fra.app?.output(), { timeout: 15_000 }).toMatch(/ALARM regression: .*does not join .*backbone adopt/);
    await sin.stop();
    const adopted = await sin.run(['backbone', 'adopt', ledger, '--data', sin.data]);
    expect([adopted.code, adopted.output]).toEqual([0, expect.stringContaining('has joined the backbone')]);
    await sin.start();
    const missing = async () => /have not written again.*: (.*)\.$/m.exec((await sin.run(['replicas', 'list'])).output)?.[1];
    await expect.poll(missing, { timeout: 15_000, interval: 500 }).toMatch(/^fra\.\w+$/);
    expect((await fra.admin('/v1/backbone/adopt', { method: 'POST', body: '{}' })).body).toEqual({ adopting: true });
    const take = async (at: Site, user: string) => (await at.post('/take', { user })).body;
    await expect.poll(async () => (await take(sin, 'bob')).ok, { timeout: 30_000 }).toBe(true);
    expect(await missing()).toBe(undefined);
    // Once is still once: what the backbone lost was written to it again.
    for (const at of [sin, fra]) {
      await expect.poll(() => take(at, 'ann'), { timeout: 30_000 }).toMatchObject({ ok: true, receipt: first.body.receipt });
    }
  }));

test('a location whose witness is lost says what is locked, and an operator who knows its disk to be the newest gives it back', () =>
  onStage(async ({ home, site }) => {
    const fra = await site('fra');
    await fra.start();
    expect((await fra.post('/grab', { user: 'a' })).body.ok).toBe(true);
    await fra.stop('SIGKILL');
    await rm(join(home, 'state/cffbrw/witness'), { recursive: true });
    const again = await fra.start();
    expect(again.output()).toMatch(
      /ALARM locked: what fra\.\w+ held stays locked, because its witness, .* recover --trust-store/,
    );
    await fra.stop();
    const recover = (...options: string[]) => fra.run(['recover', ledger, '--data', fra.data, ...options]);
    expect((await recover()).output).toMatch(/What fra\.\w+ held is locked, because its witness[\s\S]*--trust-store {2}keep/);
    expect((await recover('--trust-store')).code).toBe(0);
    expect((await recover()).output).toMatch(/not frozen\. There is nothing to decide/);
    expect((await fra.start()).output()).not.toContain('ALARM');
  }));

/** What the log says of the backbone. */
const told = (output: string): readonly string[] =>
  [...output.matchAll(/^\{.*\}$/gm)]
    .map(([line]) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ msg }) => msg.includes('the backbone'))
    .map(({ level, msg }) => `${level}: ${msg}`);

test('a process that cannot reach the backbone starts, says so, serves what is here, and stops', () =>
  onStage(async ({ site }) => {
    const fra = await site('fra');
    fra.proxy.cut();
    const app = await fra.start();
    expect(told(app.output())).toEqual([expect.stringMatching(/^warn: .*out of reach.*Reads and writes go on.*counters wait/)]);
    expect((await fra.post('/write', { user: 'ann', number: 1 })).status).toBe(200);
    expect((await fra.post('/grab', { user: 'ann' })).body).toMatchObject({ ok: false, reason: 'unreachable' });
    fra.proxy.heal();
    await expect.poll(async () => (await fra.post('/grab', { user: 'ann' })).body.ok, { timeout: 20_000 }).toBe(true);
    expect(told(app.output()).slice(1)).toEqual([
      expect.stringMatching(/^info: the backbone answers again, after \d.* s; \d+ row/),
    ]);
    // Nobody answers, and nobody says so.
    fra.proxy.swallow('to-client');
    await expect.poll(() => told(app.output()).at(-1), { timeout: 20_000 }).toMatch(/^warn: .*\d unit.s. are leased/);
    expect(told(app.output())).toHaveLength(3);
    expect(app.output()).not.toContain(encodeURIComponent(password));
    expect(app.output()).not.toContain(password);
    expect(await fra.stop()).toBe(0);
  }));
