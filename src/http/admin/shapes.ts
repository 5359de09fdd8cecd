/** What the admin API takes and answers, as zod types: requests are checked by them, the OpenAPI document is made of them. */
import * as z from 'zod';

const json = z.unknown().meta({ description: 'Any JSON value.' });
const timeMs = z.int().meta({ description: 'Milliseconds since 1970.' });
const name = z.string().meta({ description: 'The name of a variable.' });
const key = z
  .union([z.string(), z.int(), z.array(z.union([z.string(), z.int()]))])
  .meta({ description: 'A key: text, an integer, or a list of them.' });
const keyOrNone = key.nullable();
const windowChoice = z.enum(['current', 'previous']);
const window = z.string().meta({ description: 'The id of the window, such as 2026-11-20; empty without windows.' });
const cursor = z.string().nullable().meta({ description: 'Where the next page begins; null: this was the last one.' });

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: z.string().optional(),
    retry: z.enum(['no', 'later', 'same-key']).optional(),
    fix: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457).' });

export const variable = z
  .object({
    name,
    strategy: z.string(),
    keyed: z.boolean(),
    initial: json.optional(),
    window: z.object({ every: z.string(), timezone: z.string(), keep: z.int() }).nullable(),
    durability: z.enum(['durable', 'relaxed']),
    schema: json.optional(),
    operations: z.array(z.string()).meta({ description: 'What can be posted to it.' }),
  })
  .meta({ id: 'Variable' });

export const variables = z.object({ variables: z.array(variable) });

export const row = z.object({
  replica: z.string(),
  version: z.int().meta({ description: 'The commit of that replica that wrote it.' }),
  row: json,
});

export const value = z
  .object({
    variable: name,
    key: keyOrNone,
    window,
    value: json,
    ageMs: z.number().meta({ description: 'Since other replicas were last heard; 0 without a backbone.' }),
    rows: z.array(row).optional(),
  })
  .meta({ id: 'Value' });

export const keys = z.object({ keys: z.array(key), cursor });

export const operation = z
  .strictObject({
    key: key.optional(),
    value: json.optional().meta({ description: 'For set, replace, merge, raise, lower.' }),
    with: json.optional().meta({ description: 'For raise and lower: what comes with the value.' }),
    path: z.string().optional().meta({ description: 'For unset of merge-objects: a JSON Pointer.' }),
    amount: z.int().optional().meta({ description: 'For add, take, mint, burn. Default 1.' }),
    receipt: z.string().optional().meta({ description: 'For give and confirm.' }),
    once: key.optional().meta({ description: 'For take: at most one live grant per key, anywhere.' }),
    holdMs: z.int().min(0).optional(),
    timeoutMs: z.int().min(0).max(30_000).optional(),
    strong: z.boolean().optional(),
  })
  .meta({ id: 'Operation' });

export const done = z
  .object({
    variable: name,
    operation: z.string(),
    key: keyOrNone,
    value: json.meta({ description: 'The value afterwards, as known here; null after give and confirm, which name no key.' }),
    result: json.optional().meta({ description: 'What take, give and confirm answer.' }),
  })
  .meta({ id: 'Done', description: 'It is durable.' });

export const replicas = z
  .object({
    replicas: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        state: z.enum(['active', 'stopped', 'retired']),
        seenMs: timeMs.nullable().meta({ description: 'By the backbone’s clock; null: it has not told yet.' }),
        commit: z.int(),
        unpublished: z.int(),
        lagMs: z.number().nullable(),
        leases: z.array(z.object({ address: z.string(), units: z.int() })),
        differs: z
          .array(z.string())
          .meta({ description: 'Variables that it declares otherwise than those that had them before.' }),
        retired: z.object({ by: z.string(), at: timeMs, why: z.string() }).optional(),
        awaited: z.boolean().optional().meta({ description: 'After a loss: the others wait for what it has to write again.' }),
      }),
    ),
  })
  .meta({ id: 'Replicas' });

export const retire = z.strictObject({
  why: z.string().min(1).max(500),
  carryOut: z.boolean().default(false),
});

export const retirement = z
  .object({
    retired: z.array(z.string()),
    stakes: z.array(z.object({ id: z.string(), address: z.string(), units: z.int() })),
    worstCase: z.int().meta({ description: 'Units that can never be sold any more.' }),
    unheard: z.array(z.string()).meta({
      description:
        'Those that have not written again since the backbone lost something: what they gave out may be given out again.',
    }),
  })
  .meta({ id: 'Retirement' });

export const nothing = z.strictObject({});
export const adopted = z.object({ adopting: z.boolean() }).meta({ id: 'Adopted' });

export const replica = z
  .object({
    app: z.string(),
    version: z.string(),
    id: z.string(),
    nowMs: timeMs,
    upMs: z.number(),
    commit: z.int(),
    dirty: z.int(),
    unpublished: z.int(),
    quarantined: z.int(),
    loaded: z.int(),
    waiting: z.int(),
    urgent: z.boolean(),
    frozen: z.string().nullable(),
    refused: z.string().nullable(),
    lagMs: z.number().nullable().meta({ description: 'Since the backbone last answered; null: there is none.' }),
    refusals: z.record(z.string(), z.int()).meta({ description: 'Takes that were refused since the start, by reason.' }),
    withheld: z.record(z.string(), z.string()).meta({ description: 'Variables of which nothing is given out here, and why.' }),
  })
  .meta({ id: 'Replica' });

const side = z.object({ replica: z.string(), stamp: z.tuple([z.int(), z.int()]), value: json });
export const conflict = z
  .object({ at: timeMs, variable: name, key: keyOrNone, window, path: z.string().optional(), lost: side, won: side })
  .meta({ id: 'Conflict', description: 'A write that was lost to one that had not seen it.' });
export const conflicts = z.object({ conflicts: z.array(conflict).meta({ description: 'Newest first.' }) });

const access = z.object({ variable: name, key: keyOrNone.optional(), window: z.string().optional(), text: z.string() });
export const step = z.object({
  at: z.string().meta({ description: 'steps[3].then[0]' }),
  thread: z.string().meta({ description: 'Empty, or the branch, iteration or called workflow that it belongs to.' }),
  verb: z.string(),
  id: z.string().nullable(),
  line: z.int(),
  startMs: z.number().meta({ description: 'After the start of the run.' }),
  tookMs: z.number(),
  skipped: z.boolean().meta({ description: 'Its `when` was false.' }),
  reads: z.array(access),
  writes: z.array(access.extend({ operation: z.string() })),
  error: z.string().nullable(),
});
export const runSummary = z
  .object({
    id: z.string(),
    workflow: z.string(),
    startedMs: timeMs,
    tookMs: z.number(),
    status: z.int(),
    code: z.string().nullable(),
    keyed: z.boolean(),
    steps: z.int(),
  })
  .meta({ id: 'RunSummary' });
export const runs = z.object({ runs: z.array(runSummary).meta({ description: 'Newest first.' }), cursor });
export const run = runSummary
  .extend({ file: z.string(), trace: z.array(step), cut: z.boolean().meta({ description: 'It took more steps than are kept.' }) })
  .meta({ id: 'Run' });

export const workflow = z
  .object({
    name: z.string(),
    description: z.string().nullable(),
    file: z.string(),
    http: z.object({ method: z.string(), path: z.string() }).nullable().meta({ description: 'The route that starts it.' }),
    cron: z
      .object({
        schedule: z.string(),
        timezone: z.string(),
        nextMs: timeMs.nullable().meta({ description: 'When it is due next, in milliseconds since 1970; null: never again.' }),
      })
      .nullable()
      .meta({ description: 'The schedule that starts it.' }),
    callable: z.boolean().meta({ description: 'Whether other workflows may call it.' }),
    calls: z.array(z.string()),
    reads: z.array(z.string()),
    writes: z.array(z.object({ variable: name, operation: z.string() })),
    document: json,
  })
  .meta({ id: 'Workflow' });
export const workflows = z.object({ app: z.string(), workflows: z.array(workflow) });

export const errors = z.object({
  errors: z.array(z.object({ code: z.string(), status: z.int(), retry: z.enum(['no', 'later', 'same-key']) })),
});

export const health = z
  .object({
    status: z.enum(['ok', 'stopping', 'failing']),
    frozen: z.string().nullable().optional().meta({ description: 'Only with the token.' }),
    refused: z.string().nullable().optional().meta({ description: 'Only with the token.' }),
    withheld: z.record(z.string(), z.string()).optional().meta({ description: 'Only with the token.' }),
    lagMs: z.number().nullable().optional().meta({ description: 'Only with the token.' }),
  })
  .meta({ id: 'Health' });

const limit = z.coerce.number().int().min(1);
export const queries = {
  keys: z.strictObject({
    prefix: z.string().optional(),
    limit: limit.max(1_000).default(100),
    cursor: z.string().max(4_096).optional(),
    window: windowChoice.default('current'),
  }),
  value: z.strictObject({
    key: z.string().optional().meta({ description: 'A key that is text.' }),
    keyJson: z.string().optional().meta({ description: 'A key that is an integer or a list, as JSON.' }),
    window: windowChoice.default('current'),
    rows: z.enum(['true', 'false']).default('false').meta({ description: 'Each replica’s row, too.' }),
  }),
  conflicts: z.strictObject({ variable: z.string().optional(), limit: limit.max(1_000).default(100) }),
  runs: z.strictObject({
    workflow: z.string().optional(),
    failed: z.enum(['true', 'false']).optional().meta({ description: 'Status 400 and more, or less.' }),
    limit: limit.max(200).default(50),
    cursor: z.string().max(64).optional(),
  }),
  events: z.strictObject({
    types: z.string().optional().meta({ description: 'Some of change, conflict, run, between commas. Default: all.' }),
    variable: z.string().optional().meta({ description: 'Only changes and conflicts of this one.' }),
  }),
  none: z.strictObject({}),
} as const;
