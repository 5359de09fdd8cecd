/**
 * `npm run schemas`: writes schemas/, the JSON Schemas of the documents, from the zod types that check them. Draft 7, which every editor
 * knows. They say the form of documents; what fields mean together (names, scopes, operations) only `cffbrw` itself can say.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { rules } from '../src/check/finding.ts';
import { errorCodes } from '../src/error.ts';
import { scenarioSchema } from '../src/simulate/scenario.ts';
import { strategyNames } from '../src/strategy/names.ts';
import { maxKeep } from '../src/strategy/variable.ts';
import { appSchema, workflowSchema } from '../src/workflow/fields.ts';
import { formOf } from '../src/workflow/form.ts';
import { verbs } from '../src/workflow/steps/verbs.ts';

/** `declareVariable` says what is wrong with a declaration; this is its form, for editors. */
const declaration = z.strictObject({
  strategy: z
    .enum(strategyNames)
    .optional()
    .meta({ description: 'How concurrent writes become one value. Default: last-write-wins.' }),
  keyed: z.boolean().optional().meta({ description: 'One value per key.' }),
  initial: z.unknown().optional().meta({ description: 'What an address that nobody wrote reads as.' }),
  window: z
    .strictObject({
      every: z.enum(['hour', 'day', 'week', 'month']),
      timezone: z.string().optional().meta({ description: 'An IANA zone. Default: UTC.' }),
      keep: z.int().min(0).max(maxKeep).optional().meta({ description: 'So many closed windows are kept. Default: 7.' }),
    })
    .optional()
    .meta({ description: 'A value of its own for each period.' }),
  schema: z
    .union([z.boolean(), z.record(z.string(), z.unknown())])
    .optional()
    .meta({ description: 'A JSON Schema of the value.' }),
  durability: z.enum(['durable', 'relaxed']).optional(),
  writers: z.literal('any').optional().meta({ description: 'Several workflows may write it (last-write-wins only).' }),
});

type Json = Record<string, unknown>;

/** The schema of a type without what it defines, which goes into `definitions`. */
function convert(type: z.ZodType, definitions: Json): Json {
  const { $schema: _, definitions: own = {}, ...schema } = z.toJSONSchema(type, { target: 'draft-7', io: 'input' }) as Json;
  Object.assign(definitions, own);
  return schema;
}

function documentSchema(title: string, type: z.ZodType, more: (definitions: Json) => Json = () => ({})): Json {
  const definitions: Json = {};
  const schema = convert(type, definitions);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title,
    ...schema,
    definitions: { ...definitions, ...more(definitions) },
  };
}

/** Every verb by its name, a step as one of them, and steps as a list of those. */
function stepDefinitions(definitions: Json): Json {
  const named = [...verbs.values()].map(
    (verb) => [`step-${verb.verb}`, { title: verb.verb, ...convert(formOf(verb), definitions) }] as const,
  );
  const anyOf = named.map(([name]) => ({ $ref: `#/definitions/${name}` }));
  return {
    steps: { ...(definitions.steps as Json), items: { $ref: '#/definitions/step' } },
    step: { description: 'A step: a map with one verb.', anyOf },
    ...Object.fromEntries(named),
  };
}

/** What `cffbrw check --format json` prints. Fields may be added, so others than these are no mistake. */
const place = z.object({
  file: z.string().meta({ description: 'Relative to where the command ran.' }),
  line: z.int().min(1),
  column: z.int().min(1),
});
const edit = z.object({
  place,
  end: place.meta({ description: 'Behind the last character that is replaced; the same as `place`: nothing is.' }),
  paste: z.string(),
});
const finding = z.object({
  rule: z.enum(Object.keys(rules)),
  name: z.enum(Object.values(rules).map(({ name }) => name)),
  blocks: z.boolean().meta({ description: 'Whether it stops a deploy.' }),
  workflow: z.string().nullable().meta({ description: 'Null: it is about a declaration.' }),
  place,
  path: z.string().meta({ description: 'The part of the document: `steps[3].then[0]`, `variables.banner`.' }),
  story: z.string().meta({ description: 'What goes wrong when two users come at the same time.' }),
  fix: z.object({ summary: z.string(), edits: z.array(edit) }),
  related: z.array(z.object({ place, message: z.string() })).meta({ description: 'The read or the guard that it races with.' }),
});
const problem = z.object({
  code: z.enum(Object.keys(errorCodes)),
  message: z.string(),
  fix: z.string().nullable(),
  place: place.nullable(),
});
export const checkReport = z.object({
  version: z.literal(1).meta({ description: 'Of this form.' }),
  app: z.string().nullable().meta({ description: 'Null where the documents make no app.' }),
  blocks: z.boolean().meta({ description: 'Whether a deploy is refused.' }),
  findings: z.array(finding).meta({ description: 'By file, line and column.' }),
  problems: z.array(problem).meta({ description: 'What else is wrong with the documents; not everything was checked then.' }),
});

/** The schema of every file in schemas/. */
export function schemaFiles(): Readonly<Record<string, Json>> {
  const app = appSchema.extend({
    variables: z
      .record(
        z
          .string()
          .regex(/^[a-z][a-zA-Z0-9_-]*$/)
          .max(64),
        declaration.nullable(),
      )
      .optional(),
  });
  return {
    'cffbrw.schema.json': documentSchema('cffbrw.yaml: an app’s settings and its variables', app),
    'check.schema.json': documentSchema('What `cffbrw check --format json` prints', checkReport),
    'scenario.schema.json': documentSchema('scenarios/*.yaml: what `cffbrw simulate` runs', scenarioSchema),
    'workflow.schema.json': documentSchema('workflows/*.yaml: one workflow', workflowSchema, stepDefinitions),
  };
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const folder = join(import.meta.dirname, '../schemas');
  mkdirSync(folder, { recursive: true });
  for (const [name, schema] of Object.entries(schemaFiles()))
    writeFileSync(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
}
