/** The admin API's own OpenAPI 3.1 document, made of the table that its router is made of. */
import * as z from 'zod';
import { errorCodes } from '../../error.ts';
import type { JsonObject } from '../../strategy/json.ts';
import { version } from '../../version.ts';
import { type OperationPlan, operations } from './operations.ts';
import { problem } from './shapes.ts';

type Schemas = Record<string, JsonObject>;

/** The schema of a type; the named types in it are kept once, under components. */
function schemaOf(type: z.ZodType, io: 'input' | 'output', named: Schemas): JsonObject {
  const text = JSON.stringify(z.toJSONSchema(type, { io }));
  const { $schema: _, $defs = {}, ...schema } = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/'));
  Object.assign(named, $defs);
  return schema;
}

const refusal = (description: string): JsonObject => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function parametersOf({ params = {}, query }: OperationPlan, named: Schemas): JsonObject[] {
  const path = Object.entries(params).map(([name, description]) => ({
    ...{ name, in: 'path', required: true, description, schema: { type: 'string' } },
  }));
  const { properties = {}, required = [] } = schemaOf(query, 'input', named) as { properties?: JsonObject; required?: string[] };
  const fields = Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }));
  return [...path, ...fields];
}

const answerOf = ({ answer, summary }: OperationPlan, named: Schemas): JsonObject =>
  answer instanceof z.ZodType
    ? { description: summary, content: { 'application/json': { schema: schemaOf(answer, 'output', named) } } }
    : { description: answer.description, content: { [answer.type]: { schema: {} } } };

function operationOf(operationId: string, plan: OperationPlan, named: Schemas): JsonObject {
  return {
    operationId,
    summary: plan.summary,
    ...(plan.description !== undefined && { description: plan.description }),
    ...(plan.open === true && { security: [{}, { token: [] }] }),
    parameters: parametersOf(plan, named),
    ...(plan.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(plan.body, 'input', named) } } },
    }),
    responses: {
      '200': answerOf(plan, named),
      ...(plan.open !== true && {
        '401': refusal('The token is missing or not the right one.'),
        '429': refusal('The token is not the right one, as too many before it.'),
      }),
      default: refusal('A refusal. `code` is one of /_cffbrw/v1/errors.'),
    },
  };
}

export function adminOpenapi(): JsonObject {
  const named: Schemas = {};
  schemaOf(problem, 'output', named);
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [id, plan] of Object.entries<OperationPlan>(operations)) {
    const at = paths[plan.path] ?? {};
    paths[plan.path] = at;
    at[plan.method] = operationOf(id, plan, named);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'CFFBRW admin API',
      version,
      description: 'Values, runs and the state of one replica. Every operation needs the token of CFFBRW_TOKEN, but health.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { ...named, ErrorCode: { enum: Object.keys(errorCodes) } },
    },
  };
}
