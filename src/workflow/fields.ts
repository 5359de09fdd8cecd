/** The fields of documents, as zod types. What a field means is checked when the plan is made; here is only its form. */
import * as z from 'zod';

/** A JSON value that may hold `${ … }` in any of its strings. */
export const value = z.unknown().meta({ description: 'A value; its strings may be templates.' });
export const text = z.string();
export const condition = z.union([z.string(), z.boolean()]).meta({ description: 'A bare expression that gives true or false.' });
export const number = z.union([z.number(), z.string()]).meta({ description: 'A number, or a template that is one.' });
export const variableName = z.string().meta({ description: 'The name of a variable of cffbrw.yaml.' });
export const boundName = z.string().meta({ description: 'A name for the value, bound once.' });
/** Nested steps: their own form is checked one by one. */
export const steps = z.array(z.unknown()).min(1).meta({ id: 'steps', description: 'Steps, one after the other.' });
export const windowChoice = z.enum(['current', 'previous']);

export const duration = z
  .union([z.string(), z.number()])
  .meta({ description: 'An integer and ms, s, m, h or d; or a template that is one.' });

/** What every step may carry. `as` stands only beside verbs that yield something. */
export const commonFields = {
  id: z.string().optional(),
  when: condition.optional(),
  ignore: z.record(z.string(), z.string()).optional(),
};
export const yieldFields = { as: boundName.optional() };

/** Named one by one: with the whole of the library a bundle would have the whole of it, and every start would read that. */
const types = {
  ...{ array: z.array, boolean: z.boolean, enum: z.enum, int: z.int, number: z.number },
  ...{ record: z.record, strictObject: z.strictObject, string: z.string, union: z.union, unknown: z.unknown },
} as const;

/** What verbs make their fields of. */
export const fields = {
  z: types,
  value,
  text,
  condition,
  number,
  variableName,
  boundName,
  steps,
  windowChoice,
  duration,
} as const;
export type Fields = typeof fields;

const jsonSchema = z.union([z.boolean(), z.record(z.string(), z.unknown())]).meta({ description: 'A JSON Schema.' });

const httpTrigger = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z.string(),
  params: jsonSchema.optional(),
  query: jsonSchema.optional(),
  headers: jsonSchema.optional(),
  body: jsonSchema.optional(),
  idempotency: z.strictObject({ header: z.string().optional(), keep: z.string().optional() }).optional(),
  auth: z.strictObject({ bearer: z.string() }).optional(),
  verify: z.strictObject({ scheme: z.literal('hmac-sha256'), header: z.string(), secret: z.string() }).optional(),
  cors: z
    .union([
      z.boolean(),
      z.strictObject({
        origins: z.array(z.string()).optional(),
        headers: z.array(z.string()).optional(),
        credentials: z.boolean().optional(),
        maxAge: z.string().optional(),
      }),
    ])
    .optional(),
});

const cronTrigger = z.strictObject({
  schedule: z.string().meta({ description: 'Five cron fields: minute, hour, day of month, month, day of week.' }),
  timezone: z.string().optional().meta({ description: 'The IANA zone on whose clock the schedule is read. Default: UTC.' }),
});

export const workflowSchema = z.strictObject({
  cffbrw: z.literal(1),
  workflow: z.string().min(1).max(128),
  description: z.string().optional(),
  on: z.strictObject({
    http: httpTrigger.optional(),
    cron: cronTrigger.optional(),
    call: z.strictObject({ with: jsonSchema.optional() }).nullable().optional(),
  }),
  steps,
});

export const appSchema = z.strictObject({
  cffbrw: z.literal(1),
  app: z.string().min(1).max(128),
  description: z.string().optional(),
  variables: z.record(z.string(), z.record(z.string(), z.unknown()).nullable()).optional(),
  secrets: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).optional(),
  static: z.string().optional(),
  events: z.strictObject({ path: z.string(), variables: z.array(z.string()) }).optional(),
  outbound: z
    .strictObject({
      allow: z.array(z.string()).meta({ description: 'Hosts and ranges that `http` may reach although they are not public.' }),
    })
    .optional(),
  durability: z.enum(['durable', 'relaxed']).optional(),
  regions: z.array(z.string()).optional(),
});

export type WorkflowDocument = z.infer<typeof workflowSchema>;
export type AppDocument = z.infer<typeof appSchema>;
export type HttpTrigger = z.infer<typeof httpTrigger>;
export type CronTrigger = z.infer<typeof cronTrigger>;
