/** An app's own routes as an OpenAPI 3.1 document: from its plans alone, so that it says what the handler does. */
import type { App } from '../app.ts';
import { isObject, type Json, type JsonObject } from '../strategy/json.ts';
import { version } from '../version.ts';
import type { HttpPlan, JsonSchema, Plan } from '../workflow/plan.ts';
import { wantsText } from './body.ts';
import { answersIn } from './openapi-answers.ts';

export function appOpenapi(app: App): JsonObject {
  const paths: Record<string, Record<string, Json>> = {};
  const schemes: Record<string, JsonObject> = {};
  const schemas: Record<string, Json> = { Problem: problemSchema };
  const known = new Map<string, string>();
  for (const plan of app.workflows.values()) {
    if (plan.http === null) continue;
    // Paths that differ in the names of their parameters alone are one path here: the names of the first stand for all.
    const shape = plan.http.path.replaceAll(/\{[^{}]*\}/g, '{}');
    const path = known.get(shape) ?? plan.http.path;
    known.set(shape, path);
    paths[path] = {
      ...paths[path],
      [plan.http.method.toLowerCase()]: operationOf(plan, path, { app, http: plan.http, schemas }),
    };
    Object.assign(schemes, schemesOf(plan.http));
  }
  const { events, description } = app.settings;
  if (events !== null) paths[events.path] = { ...paths[events.path], get: streamOf(events.variables) };
  return {
    openapi: '3.1.0',
    info: { title: app.name, version, ...(description !== null && { description }) },
    paths,
    components: {
      ...(Object.keys(schemes).length > 0 && { securitySchemes: schemes }),
      schemas,
    },
  };
}

const problemSchema: JsonObject = {
  description: 'A refusal (RFC 9457). `retry` says whether the same request may be sent again.',
  type: 'object',
  required: ['type', 'title', 'status'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string' },
    retry: { enum: ['no', 'later', 'same-key'] },
    fix: { type: 'string' },
  },
};

interface Around {
  readonly app: App;
  readonly http: HttpPlan;
  readonly schemas: Record<string, Json>;
}

function operationOf(plan: Plan, path: string, { app, http, schemas }: Around): JsonObject {
  const own = (part: 'params' | 'query' | 'headers' | 'body') => ownPart(http[part], `${plan.name}.${part}`, schemas);
  const security = Object.keys(schemesOf(http));
  const parameters = [
    ...pathParameters(http, path, own('params')),
    ...listed('query', http.query, own('query')),
    ...listed('header', http.headers, own('headers')),
    ...keyParameter(http),
  ];
  return {
    operationId: plan.name,
    ...(plan.description !== null && { summary: plan.description }),
    ...(parameters.length > 0 && { parameters }),
    ...(http.body !== undefined && { requestBody: bodyOf(http.body, own('body')) }),
    // All of them: a token and a signature are looked at both.
    ...(security.length > 0 && { security: [Object.fromEntries(security.map((name) => [name, []]))] }),
    responses: { ...answersIn(plan, app.workflows), ...refusalsOf(http) },
  };
}

const problemIn = (description: string): JsonObject => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function refusalsOf({ params, query, headers, body, auth, verify, idempotency }: HttpPlan): JsonObject {
  const checks = [params, query, headers, body].some((schema) => schema !== undefined);
  return {
    ...(checks && { '400': problemIn('The request is not what this takes.') }),
    ...((auth ?? verify) !== undefined && { '401': problemIn('The token or the signature is missing, or not the right one.') }),
    ...(idempotency !== null && {
      '422': problemIn('This idempotency key was used for another request, or a value was refused.'),
    }),
    default: problemIn('A refusal.'),
  };
}

function schemesOf({ auth, verify }: HttpPlan): Record<string, JsonObject> {
  return {
    ...(auth && { [auth.bearer]: { type: 'http', scheme: 'bearer' } }),
    ...(verify && {
      [verify.secret]: {
        ...{ type: 'apiKey', in: 'header', name: verify.header },
        description: 'HMAC-SHA-256 of the body, in hex or base64.',
      },
    }),
  };
}

/** A part of a schema as it can stand anywhere in the document. */
type Place = (part: Json) => Json;

/** A schema that refers to its own parts is kept under components, and what refers to it refers there: not every tool knows `$id`. */
function ownPart(schema: JsonSchema | undefined, name: string, schemas: Record<string, Json>): Place {
  if (!isObject(schema) || !JSON.stringify(schema).includes('"$ref"')) return (part) => part;
  let key = name.replaceAll(/[^\w.-]/g, '_');
  while (key in schemas && JSON.stringify(schemas[key]) !== JSON.stringify(moved(schema as Json, key))) key += '_';
  schemas[key] = moved(schema as Json, key);
  return (part) => moved(part, key);
}

/** Values that are data, not schemas: a `$ref` in them means nothing. */
const dataKeywords = new Set(['const', 'enum', 'default', 'example', 'examples']);

function moved(part: Json, key: string): Json {
  if (Array.isArray(part)) return part.map((inner) => moved(inner, key));
  if (!isObject(part)) return part;
  const entries = Object.entries(part as JsonObject).map(([name, inner]) => {
    if (name === '$ref' && typeof inner === 'string') return [name, `#/components/schemas/${key}${inner.slice(1)}`] as const;
    return [name, dataKeywords.has(name) ? inner : moved(inner, key)] as const;
  });
  return Object.fromEntries(entries);
}

const propertiesOf = (schema: JsonSchema | undefined): readonly (readonly [string, Json])[] =>
  isObject(schema) && isObject(schema.properties) ? Object.entries(schema.properties as JsonObject) : [];

const requiredIn = (schema: JsonSchema | undefined): readonly Json[] =>
  isObject(schema) && Array.isArray(schema.required) ? schema.required : [];

const namesIn = (path: string): string[] => [...path.matchAll(/\{([^{}]*)\}/g)].map((found) => found[1] ?? '');

function pathParameters(http: HttpPlan, path: string, own: Place): JsonObject[] {
  const shown = namesIn(path);
  const schemas = new Map(propertiesOf(http.params));
  return namesIn(http.path).map((name, index) => ({
    ...{ name: shown[index] ?? name, in: 'path', required: true },
    schema: own(schemas.get(name) ?? { type: 'string' }),
  }));
}

/** What OpenAPI describes elsewhere it forbids here. */
const elsewhere = ['accept', 'content-type', 'authorization'];

const listed = (place: 'query' | 'header', schema: JsonSchema | undefined, own: Place): JsonObject[] =>
  propertiesOf(schema)
    .filter(([name]) => place === 'query' || !elsewhere.includes(name.toLowerCase()))
    .map(([name, property]) => ({ name, in: place, required: requiredIn(schema).includes(name), schema: own(property) }));

function keyParameter({ idempotency }: HttpPlan): JsonObject[] {
  if (idempotency === null) return [];
  const description = 'The same key gives the same answer, and the work is done once.';
  return [{ name: idempotency.header, in: 'header', required: false, description, schema: { type: 'string' } }];
}

function bodyOf(schema: JsonSchema, own: Place): JsonObject {
  const type = wantsText(schema) ? 'text/plain' : 'application/json';
  return { required: true, content: { [type]: { schema: own(schema) } } };
}

const streamOf = (variables: readonly string[]): JsonObject => ({
  operationId: '_events',
  summary: `A stream of ${variables.join(', ')}: a snapshot, then changes.`,
  parameters: [{ name: 'prefix', in: 'query', required: false, schema: { type: 'string' } }],
  responses: { '200': { description: 'Server-sent events.', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
});
