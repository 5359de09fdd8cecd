/** Every operation of the admin API, as data: the router, the OpenAPI document and the tests are made of this one table. */
import type * as z from 'zod';
import * as shapes from './shapes.ts';

export const prefix = '/_cffbrw';

export interface OperationPlan {
  readonly method: 'get' | 'post';
  /** `/_cffbrw/v1/runs/{id}` */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Answers without a token, too; left out: it never does. */
  readonly open?: true;
  readonly params?: Readonly<Record<string, string>>;
  readonly query: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly answer: z.ZodType | { readonly type: string; readonly description: string };
}

const { queries } = shapes;
const named = { name: 'The name of a variable.' };

export const operations = {
  health: {
    ...{ method: 'get', path: `${prefix}/health`, open: true, query: queries.none, answer: shapes.health },
    summary: 'Whether to send requests here (200) or not (503: it stops, or can write nothing). With the token also why not.',
  },
  metrics: {
    ...{ method: 'get', path: `${prefix}/metrics`, query: queries.none },
    summary: 'Metrics for Prometheus.',
    answer: { type: 'text/plain', description: 'The text format 0.0.4 of Prometheus.' },
  },
  appOpenapi: {
    ...{ method: 'get', path: `${prefix}/openapi.json`, query: queries.none },
    summary: 'The app’s own routes as OpenAPI 3.1.',
    answer: { type: 'application/json', description: 'An OpenAPI 3.1 document.' },
  },
  reference: {
    ...{ method: 'get', path: `${prefix}/reference`, query: queries.none },
    summary: 'The app’s own routes as a page to read and to try.',
    answer: { type: 'text/html', description: 'A page that asks nobody else for anything.' },
  },
  referenceScript: {
    ...{ method: 'get', path: `${prefix}/reference.js`, query: queries.none },
    summary: 'The program of that page.',
    answer: { type: 'text/javascript', description: 'OpenAPI Explorer.' },
  },
  openapi: {
    ...{ method: 'get', path: `${prefix}/v1/openapi.json`, query: queries.none },
    summary: 'This document.',
    answer: { type: 'application/json', description: 'An OpenAPI 3.1 document.' },
  },
  errors: {
    ...{ method: 'get', path: `${prefix}/v1/errors`, query: queries.none, answer: shapes.errors },
    summary: 'Every code of a refusal: its HTTP status, and whether a retry is safe.',
  },
  replica: {
    ...{ method: 'get', path: `${prefix}/v1/replica`, query: queries.none, answer: shapes.replica },
    summary: 'This replica: who it is, how far it is, and what it refuses.',
  },
  listReplicas: {
    ...{ method: 'get', path: `${prefix}/v1/replicas`, query: queries.none, answer: shapes.replicas },
    summary: 'Every incarnation that ever joined the backbone: when it was last seen, what it holds, what it declares otherwise.',
  },
  retire: {
    ...{ method: 'post', path: `${prefix}/v1/replicas/{name}/retire`, query: queries.none, answer: shapes.retirement },
    params: { name: 'A replica’s name, for all its incarnations, or the id of one.' },
    summary: 'Gives up a replica that never comes back: what it holds can never be sold any more.',
    description: 'Without `carryOut` it only says what that would be. Should the replica come back, it goes on as a new one.',
    body: shapes.retire,
  },
  adoptBackbone: {
    ...{ method: 'post', path: `${prefix}/v1/backbone/adopt`, query: queries.none, answer: shapes.adopted },
    summary: 'Joins the backbone that answers, although it was restored or is another one: at the next contact.',
    body: shapes.nothing,
  },
  listVariables: {
    ...{ method: 'get', path: `${prefix}/v1/variables`, query: queries.none, answer: shapes.variables },
    summary: 'The variables of the app, as declared.',
  },
  getVariable: {
    ...{ method: 'get', path: `${prefix}/v1/variables/{name}`, params: named, query: queries.value, answer: shapes.value },
    summary: 'The value as known here; all that it shows is durable.',
  },
  listKeys: {
    ...{ method: 'get', path: `${prefix}/v1/variables/{name}/keys`, params: named, query: queries.keys, answer: shapes.keys },
    summary: 'The keys that have a value, sorted, page by page. Keys written meanwhile move no page.',
  },
  operate: {
    ...{ method: 'post', path: `${prefix}/v1/variables/{name}/{operation}`, query: queries.none, answer: shapes.done },
    params: { ...named, operation: 'One of the variable’s operations: set, add, merge, take, mint…' },
    summary: 'Carries out one operation; the answer comes when it is durable.',
    description: 'A repeated add, take, mint or burn happens twice, unless a take says `once`.',
    body: shapes.operation,
  },
  conflicts: {
    ...{ method: 'get', path: `${prefix}/v1/conflicts`, query: queries.conflicts, answer: shapes.conflicts },
    summary: 'Writes that were lost to one that had not seen them: the last thousand since the start.',
  },
  listRuns: {
    ...{ method: 'get', path: `${prefix}/v1/runs`, query: queries.runs, answer: shapes.runs },
    summary: 'The last runs, newest first.',
  },
  getRun: {
    ...{ method: 'get', path: `${prefix}/v1/runs/{id}`, query: queries.none, answer: shapes.run },
    params: { id: 'The id of a run: of the list, a log line, or a problem’s instance.' },
    summary: 'One run: per step what it read, what it wrote, and how long it took.',
  },
  workflows: {
    ...{ method: 'get', path: `${prefix}/v1/workflows`, query: queries.none, answer: shapes.workflows },
    summary: 'The workflows: what starts them, what they read and write, and their documents.',
  },
  events: {
    ...{ method: 'get', path: `${prefix}/v1/events`, query: queries.events },
    summary: 'What happens, as it happens: server-sent events.',
    description:
      'Events `change`, `conflict` and `run`, each with an id. With `Last-Event-ID` the stream goes on after that event, or says `event: reset` first when it cannot.',
    answer: { type: 'text/event-stream', description: 'Events of WHATWG HTML 9.2.' },
  },
} as const satisfies Readonly<Record<string, OperationPlan>>;

export type OperationId = keyof typeof operations;
