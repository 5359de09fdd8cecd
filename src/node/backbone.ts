/**
 * The backbone on PostgreSQL, for replicas on several machines.
 *
 * Three connections: one for registers and questions, one for publishing (which waits for its turn), one for the feed. Each is opened when it is
 * needed and again when it was lost; a second subscriber would have a feed of its own. What is atomic, what order rows come in, and how a loss is noticed stands in backbone-schema.ts.
 *
 * Invariants: B1 to B5 of backbone/backbone.ts.
 */
import type { Backbone } from '../backbone/index.ts';
import type { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { StoredRow } from '../store/store.ts';
import { arrayOf, ask, reach, twice } from './backbone-ask.ts';
import { asRow, type Feed, openFeed } from './backbone-feed.ts';
import { createLine, type Line } from './backbone-line.ts';
import { createMarks, type Marks } from './backbone-mark.ts';
import { createRegisters, unknownIdentity } from './backbone-registers.ts';
import type { BackboneTarget } from './backbone-url.ts';
import { nodeHost } from './host.ts';

export interface PostgresBackboneOptions {
  readonly target: BackboneTarget;
  /** Where this store stopped reading: what is less than that is noticed at once. */
  readonly cursor?: string | null;
  /** Told, once each time it changes, why the server is not used: it must not be, or it is out of reach at the start. */
  readonly refused?: (error: CffbrwError) => void;
  readonly host?: Host;
  /** Makes no tables: one in which no app has been is refused. Default false. */
  readonly existing?: boolean;
}

export interface PostgresBackbone extends Backbone {
  /** Rows of a replica with a higher version, lowest first; some, and never only a part of those with one version. */
  since(replica: string, version: number): Promise<readonly StoredRow[]>;
}

/** Rejects with INVALID_APP when the server answers and must not be used. One that is out of reach is no error: it is tried again. */
export async function openPostgresBackbone(options: PostgresBackboneOptions): Promise<PostgresBackbone> {
  const { target, cursor = null, host = nodeHost, existing = false } = options;
  const marks = createMarks(cursor);
  const refused = onceEach(options.refused ?? (() => {}));
  const line = (more: { readonly wake?: () => void } = {}) => createLine({ target, marks, host, refused, existing, ...more });
  const lines = { questions: line(), publishing: line() };
  await lines.questions.session().catch((error: CffbrwError) => {
    if (error.code !== 'INVALID_APP') return refused(error); // it is tried again
    for (const one of Object.values(lines)) one.close();
    throw error;
  });
  return face({ target, host, marks, ...lines, feedLine: (wake) => line({ wake }) });
}

interface Parts {
  readonly target: BackboneTarget;
  readonly host: Host;
  readonly marks: Marks;
  readonly questions: Line;
  readonly publishing: Line;
  readonly feedLine: (wake: () => void) => Line;
}

function face(parts: Parts): PostgresBackbone {
  const { target, host, marks, questions, publishing } = parts;
  const { schema } = target;
  const feeds = new Set<Feed>();
  const enter = async () => (await reach(questions)).enter();
  let closed = false;
  return {
    registers: createRegisters({ schema, host, line: questions }),
    async identity() {
      const { identity } = await twice(enter);
      return identity ?? Promise.reject(unknownIdentity());
    },
    async now() {
      const [answer] = await twice(() =>
        ask(questions, 'select extract(epoch from clock_timestamp())::double precision * 1000 as now'),
      );
      return Number(answer?.now);
    },
    async latest(replica) {
      const [answer] = await twice(() => ask(questions, latestSql(schema), [replica]));
      return Number(answer?.version);
    },
    async since(replica, version) {
      const answers = await twice(() => ask(questions, sinceSql(schema), [replica, version]));
      return answers.map(asRow);
    },
    async publish(rows) {
      for (const batch of batchesOf(rows)) {
        await twice(() => ask(publishing, `select ${schema}.publish($1, $2, $3, $4)`, columnsOf(batch)));
      }
    },
    async forget(addresses) {
      for (let at = 0; at < addresses.length; at += batchAddresses) {
        const batch = addresses.slice(at, at + batchAddresses);
        await twice(() => ask(publishing, `select ${schema}.forget($1)`, [arrayOf(batch)]));
      }
    },
    subscribe(cursor, receive) {
      if (closed) return { close() {}, caughtUp: () => new Promise<void>(() => {}) };
      const line = parts.feedLine(() => opened.wake());
      const opened: Feed = openFeed({ host, target, line, marks, cursor, receive, closed: () => feeds.delete(opened) });
      feeds.add(opened);
      return opened;
    },
    async close() {
      closed = true;
      for (const one of feeds) one.close();
      for (const one of [questions, publishing]) one.close();
    },
  };
}

const latestSql = (schema: string): string => `select greatest(0, (select max(version) from ${schema}.rows where replica = $1),
(select version from ${schema}.forgotten where replica = $1)) as version`;

const sinceSql = (schema: string): string => `select address, replica, version, bytes from ${schema}.rows
where replica = $1 and version > $2 order by version fetch first 500 rows with ties`;

const batchBytes = 4_194_304;
/** Publishers wait meanwhile. */
const batchAddresses = 100;

/** The best row per address and replica, in pieces that a server takes in one message. */
function* batchesOf(rows: readonly StoredRow[]): Generator<readonly StoredRow[]> {
  const best = new Map<string, StoredRow>();
  for (const row of rows) {
    const name = `${row.address}\0${row.replica}`;
    const other = best.get(name);
    if (other === undefined || row.version > other.version || (row.version === other.version && row.bytes > other.bytes))
      best.set(name, row);
  }
  let batch: StoredRow[] = [];
  let length = 0;
  for (const row of best.values()) {
    if (length > 0 && length + row.bytes.length > batchBytes) {
      yield batch;
      [batch, length] = [[], 0];
    }
    batch.push(row);
    length += row.bytes.length + row.address.length;
  }
  if (batch.length > 0) yield batch;
}

const columnsOf = (rows: readonly StoredRow[]): string[] => [
  arrayOf(rows.map(({ address }) => address)),
  arrayOf(rows.map(({ replica }) => replica)),
  arrayOf(rows.map(({ version }) => String(version))),
  arrayOf(rows.map(({ bytes }) => bytes)),
];

function onceEach(tell: (error: CffbrwError) => void): (error: CffbrwError) => void {
  let last = '';
  return (error) => {
    if (error.message !== last) tell(error);
    last = error.message;
  };
}
