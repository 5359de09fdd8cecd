/**
 * `scenarios/*.yaml`: what `simulate` runs. The form of the document, and the scenario that it stands for: plain data, with every
 * duration in milliseconds, and the place of every expression.
 */
import * as z from 'zod';
import type { Place } from '../error.ts';
import type { Json } from '../strategy/json.ts';
import { durationMs } from '../workflow/duration.ts';
import type { DiskSettings, Fault, NetworkSettings } from './schedule.ts';

const lengthForm = /^\d{1,12}(ms|s|m|h|d)$/;
const length = z
  .string()
  .regex(lengthForm, 'write an integer and ms, s, m, h or d, as in `400ms`')
  .refine((text) => !lengthForm.test(text) || durationMs(text) !== undefined, 'write fewer digits: nobody waits so long')
  .meta({ description: 'An integer and ms, s, m, h or d.' });
const spread = z
  .union([length, z.strictObject({ median: length, p99: length })])
  .meta({ description: 'Always so long; or by chance, with this median and this 99th percentile.' });
const probability = z.number().min(0).max(1);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'write lower-case letters, digits and hyphens');
const names = z
  .union([name, z.array(name).min(1)])
  .meta({ description: 'One region, or a list of them. Default: each in turn.' });
const direction = z.enum(['both', 'in', 'out']);

const partition = z.strictObject({
  at: length,
  for: length,
  regions: names,
  direction: direction.optional().meta({ description: 'Which way nothing gets through. Default: both.' }),
  flapping: length.optional().meta({ description: 'On and off again, each for so long.' }),
});

const network = z.strictObject({
  lag: spread.optional().meta({ description: 'From the backbone to another replica. Default 400ms.' }),
  rtt: spread.optional().meta({ description: 'A request to the backbone and its answer. Default 40ms.' }),
  jitter: length.optional().meta({ description: 'Each way takes up to so much longer.' }),
  timeout: length.optional().meta({ description: 'How long a request waits for its answer. Default 2s.' }),
  loss: probability.optional(),
  duplication: probability.optional(),
  reordering: probability.optional(),
  lateness: probability.optional().meta({ description: 'The part of requests that happen only after their sender gave up.' }),
  contact: length.optional().meta({ description: 'How often replicas look at the backbone by themselves. Default 1s.' }),
  partitions: z.array(partition).optional(),
});

const at = { at: length };
const during = { at: length, for: length };
const where = { region: name };

/** One fault is a map with one of these. */
export const faultForms = {
  crash: z.strictObject({ crash: name, ...at, for: length.optional(), power: z.boolean().optional() }),
  stop: z.strictObject({ stop: name, ...at, for: length.optional() }),
  pause: z.strictObject({ pause: name, ...during }),
  restore: z.strictObject({ restore: name, backup: length, ...at }),
  twice: z.strictObject({ twice: name, ...at }),
  join: z.strictObject({ join: name, ...at }),
  retire: z.strictObject({ retire: name, ...at }),
  clock: z.strictObject({ clock: name, ...at, ahead: length.optional(), behind: length.optional(), for: length.optional() }),
  disk: z.strictObject({ disk: z.enum(['full', 'slow', 'failing', 'unsynced']), ...where, ...during }),
  backbone: z.strictObject({
    backbone: z.enum(['restart', 'rollback', 'empty', 'unreachable', 'unknown-outcomes']),
    ...at,
    for: length
      .optional()
      .meta({ description: 'unreachable and unknown-outcomes: so long. rollback: to what it was so long before.' }),
    noticed: z.boolean().optional().meta({ description: 'Whether its identity changes, as it should. Default true.' }),
  }),
} as const;

const request = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional().meta({ description: 'Default GET.' }),
  path: z.string().meta({ description: 'May hold ${ … } of `user` and `i`.' }),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional().meta({ description: 'JSON; its strings may hold ${ … } of `user` and `i`.' }),
});

const load = z.strictObject({
  users: z.int().min(1).max(1_000_000),
  requests: z.int().min(1).max(1_000_000).optional().meta({ description: 'In all. Default: one for each user.' }),
  over: length,
  from: length.optional().meta({ description: 'When it begins. Default 0s.' }),
  arrival: z
    .enum(['even', 'uniform', 'poisson', 'burst'])
    .optional()
    .meta({ description: 'even: equal distances; uniform (default): at random; poisson: a steady rate; burst: all at once.' }),
  regions: names.optional().meta({ description: 'Where they arrive, at random. Default: everywhere.' }),
  request,
});

const invariant = z.union([z.string().min(1), z.strictObject({ name: z.string().min(1), that: z.string().min(1) })]);

export const scenarioSchema = z.strictObject({
  cffbrw: z.literal(1),
  scenario: z.string().min(1).max(128),
  description: z.string().optional(),
  regions: z
    .union([z.int().min(1).max(50), z.array(name).min(1).max(50)])
    .optional()
    .meta({ description: 'Names, or how many. Default: those of the app, else 5.' }),
  network: network.optional(),
  disk: z.strictObject({ sync: length.optional(), read: length.optional(), syncs: z.boolean().optional() }).optional(),
  faults: z.array(z.union(Object.values(faultForms))).optional(),
  load: z.union([load, z.array(load).min(1)]),
  outbound: z
    .array(
      z.strictObject({
        url: z.string().meta({ description: 'What the address begins with.' }),
        status: z.int().min(200).max(599).optional(),
        body: z.unknown().optional(),
        takes: spread.optional(),
        fails: probability.optional().meta({ description: 'The part of requests that get no answer.' }),
      }),
    )
    .optional(),
  start: z.iso.datetime().optional().meta({ description: 'What the clocks show at the start. Default: 2026-01-01T00:00:00Z.' }),
  invariants: z
    .strictObject({
      always: z.array(invariant).optional().meta({ description: 'Hold after every response.' }),
      finally: z.array(invariant).optional().meta({ description: 'Hold when everything has healed and come to rest.' }),
    })
    .optional(),
  liveness: z
    .strictObject({
      answers: length.optional().meta({ description: 'Every request is answered within so long, faults apart. Default 30s.' }),
      converge: length.optional().meta({ description: 'All replicas hold the same bytes so long after healing. Default 2m.' }),
    })
    .optional(),
  watch: z.strictObject({ name: z.string().min(1), value: z.string().min(1) }).optional(),
  baseline: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .meta({ description: 'Folders of apps, seen from this app’s folder, that must break an invariant.' }),
});

/** The same, with faults that are checked one by one, so that each is told what is wrong with it. */
export const looseScenarioSchema = scenarioSchema.extend({ faults: z.array(z.unknown()).optional() });

export type ScenarioDocument = z.infer<typeof looseScenarioSchema>;
export type FaultDocument = { [Name in keyof typeof faultForms]: z.infer<(typeof faultForms)[Name]> }[keyof typeof faultForms];

/** A text that is an expression, and where it stands. */
export interface Expression {
  readonly text: string;
  readonly place: Place;
}

export interface Invariant {
  readonly name: string;
  readonly that: Expression;
}

export interface Load {
  readonly users: number;
  readonly requests: number;
  readonly fromMs: number;
  readonly overMs: number;
  readonly arrival: 'even' | 'uniform' | 'poisson' | 'burst';
  readonly regions: readonly string[];
  readonly method: string;
  readonly path: Expression;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  readonly place: Place;
}

export interface OutboundRule {
  readonly url: string;
  readonly status: number;
  readonly body: Json;
  readonly takes: NetworkSettings['lag'];
  readonly fails: number;
}

/** A scenario, resolved: plain data (a JSON round trip changes nothing). */
export interface Scenario {
  readonly name: string;
  readonly description: string | null;
  readonly file: string;
  readonly startMs: number;
  readonly regions: readonly string[];
  readonly network: NetworkSettings;
  readonly disk: DiskSettings;
  /** Already one action each: what ends after a while is two of them. */
  readonly faults: readonly Fault[];
  readonly load: readonly Load[];
  readonly outbound: readonly OutboundRule[];
  readonly always: readonly Invariant[];
  readonly finally: readonly Invariant[];
  readonly liveness: { readonly answersMs: number; readonly convergeMs: number };
  readonly watch: { readonly name: string; readonly value: Expression } | null;
  /** Folders of apps, seen from this app's folder. */
  readonly baseline: readonly string[];
}
