/**
 * What may be wrong with a workflow although its form is right: names that there are not, operations that a variable does not have, triggers
 * that contradict themselves. An app that was built has been through it, and has none of it.
 */
import { CffbrwError, type Place } from '../error.ts';
import { suggestion } from '../expression/suggest.ts';
import { strategies } from '../strategy/strategies.ts';
import type { Variable } from '../strategy/variable.ts';
import { durationMs } from './duration.ts';
import type { HttpTrigger, WorkflowDocument } from './fields.ts';
import { checkName } from './names.ts';
import type { Touch } from './plan.ts';
import type { CheckName } from './scope.ts';
import type { Path, Problems, Source } from './source.ts';
import type { StepContext } from './steps/verb.ts';

export interface Checks {
  readonly name: CheckName;
  /** Throws UNKNOWN_VARIABLE, WRONG_OPERATION. */
  variable(name: string, asked: AskedVariable): void;
  /** That a key is there exactly when the variable is keyed. */
  key(variable: Variable, key: unknown, refuse: StepContext['refuse'], inside: Path): void;
  /** `known`: which workflows there are, and whether they can be called. */
  workflow(name: string, known: ReadonlyMap<string, boolean>, refuse: StepContext['refuse'], inside: Path): void;
  triggers(on: WorkflowDocument['on'], context: TriggerContext): void;
}

export interface AskedVariable {
  readonly variable: Variable | undefined;
  readonly operation: Touch['operation'];
  readonly known: Iterable<string>;
  readonly place: Place;
}

export interface TriggerContext {
  readonly source: Source;
  readonly problems: Problems;
  readonly secrets: ReadonlySet<string>;
}

const variable: Checks['variable'] = (name, { variable, operation, known: names, place }) => {
  if (variable === undefined) {
    const fix = `${suggestion(name, names)} Variables are declared in cffbrw.yaml.`;
    throw new CffbrwError('UNKNOWN_VARIABLE', `There is no variable \`${name}\`.`, { place, fix });
  }
  if (operation === 'get' || operation === 'keys') return;
  const known = Object.keys(strategies[variable.strategy].operations);
  if (known.includes(operation)) return;
  const others = Object.values(strategies).filter((strategy) => operation in strategy.operations);
  const message = `\`${name}\` is ${variable.strategy}, which has no \`${operation}\`.`;
  const fix = `Use ${known.map((one) => `\`${one}\``).join(', ')}; or declare it as ${others.map((one) => one.name).join(' or ')}.`;
  throw new CffbrwError('WRONG_OPERATION', message, { place, fix });
};

const key: Checks['key'] = (variable, key, refuse, inside) => {
  if (variable.keyed && key === undefined) {
    refuse(
      `\`${variable.name}\` is keyed: it has one value per key, and this step names no key.`,
      'Add `key: …`.',
      ...inside.slice(0, -1),
    );
  }
  if (!variable.keyed && key !== undefined) {
    refuse(
      `\`${variable.name}\` is not keyed: it has one value for all.`,
      'Remove `key`, or declare it with `keyed: true`.',
      ...inside,
    );
  }
  if (key === null) refuse('The key is null.', 'Write a text, an integer, or a list of them.', ...inside);
};

const workflow: Checks['workflow'] = (name, known, refuse, inside) => {
  const callable = known.get(name);
  if (callable === undefined) refuse(`There is no workflow \`${name}\`.`, suggestion(name, known.keys()), ...inside);
  if (!callable) refuse(`The workflow \`${name}\` cannot be called.`, 'Add `call: {}` to its `on`.', ...inside);
};

const triggers: Checks['triggers'] = (on, { source, problems, secrets }) => {
  const { http, call, cron } = on;
  if (http === undefined && cron === undefined && call === undefined)
    problems.add(source.placeOf(['on']), '`on` names no trigger.', 'Add `http: { method: POST, path: /… }`.');
  if (http === undefined) return;
  if (http.method === 'GET' && http.body !== undefined)
    problems.add(source.placeOf(['on', 'http', 'body']), 'A GET request has no body.', 'Use `query`, or another method.');
  const secretAt = (name: string | undefined, ...path: string[]) => {
    if (name === undefined || secrets.has(name)) return;
    const fix = `Add it to cffbrw.yaml: \`secrets: [${name}]\`.`;
    problems.add(source.placeOf(['on', 'http', ...path]), `The app has no secret \`${name}\`.`, fix);
  };
  secretAt(http.auth?.bearer, 'auth', 'bearer');
  secretAt(http.verify?.secret, 'verify', 'secret');
  durations(http, source, problems);
};

function durations({ idempotency, cors }: HttpTrigger, source: Source, problems: Problems): void {
  const keep = idempotency?.keep;
  if (keep !== undefined && !((durationMs(keep) ?? 0) >= 1_000)) {
    const message = `\`keep: ${keep}\` is no duration of a second or more.`;
    problems.add(source.placeOf(['on', 'http', 'idempotency', 'keep']), message, 'Write `24h`, say.');
  }
  const maxAge = typeof cors === 'object' ? cors.maxAge : undefined;
  if (maxAge !== undefined && durationMs(maxAge) === undefined)
    problems.add(source.placeOf(['on', 'http', 'cors', 'maxAge']), `\`${maxAge}\` is no duration.`, 'Write `1h`, say.');
}

export const checks: Checks = { name: checkName, variable, key, workflow, triggers };
