/** From the text of a scenario to the scenario that it stands for. */
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { checkForm } from '../workflow/document.ts';
import { formatProblem, readYaml } from '../workflow/index.ts';
import { collectProblems, type Problems } from '../workflow/source.ts';
import { compileCheck, compileRequest } from './expressions.ts';
import { readFaults, readPartitions } from './read-faults.ts';
import { checkAnswered, checkLength, readLoads } from './read-load.ts';
import { ms, placeOf, type Reading, spread } from './reading.ts';
import type { Expression, Invariant, OutboundRule, Scenario, ScenarioDocument } from './scenario.ts';
import { looseScenarioSchema } from './scenario.ts';
import type { NetworkSettings } from './schedule.ts';

export interface ScenarioFile {
  readonly path: string;
  readonly text: string;
}

/** Throws INVALID_DOCUMENT with all that is wrong, each with its place. */
export function loadScenario({ path, text }: ScenarioFile, app: App): Scenario {
  const problems = collectProblems();
  const source = readYaml(path, text, problems);
  const document = source && checkForm(looseScenarioSchema, { source, problems, path: [], what: 'A scenario' });
  const scenario = source && document && resolve({ source, document, app, problems });
  if (scenario) {
    checkLength(scenario, problems, source.placeOf(['load']));
    checkExpressions(scenario, app, problems);
    for (const load of scenario.load) checkAnswered(load, scenario.regions, { app, problems });
  }
  if (!scenario || problems.list.length > 0) throw invalidScenario(problems.list);
  return Object.freeze(scenario);
}

function invalidScenario(problems: readonly CffbrwError[]): CffbrwError {
  const many = problems.length === 1 ? 'This scenario has a problem' : `This scenario has ${problems.length} problems`;
  const place = problems[0]?.place;
  return new CffbrwError('INVALID_DOCUMENT', `${many}:\n${problems.map(formatProblem).join('\n')}`, {
    cause: problems,
    ...(place && { place }),
  });
}

const defaultStartMs = Date.UTC(2026, 0, 1);

function resolve(reading: Reading): Scenario {
  const { source, document } = reading;
  const regions = regionsOf(reading);
  const network = networkOf(document.network);
  checkSpreads(reading, network);
  const faults = [...readPartitions(reading, regions), ...readFaults(reading, regions)].sort((a, b) => a.atMs - b.atMs);
  const { baseline = [], watch, liveness = {} } = document;
  return {
    name: document.scenario,
    description: document.description ?? null,
    file: source.file,
    startMs: document.start === undefined ? defaultStartMs : Date.parse(document.start),
    ...{ regions, network, faults },
    disk: { syncMs: ms(document.disk?.sync, 1), readMs: ms(document.disk?.read, 0), syncs: document.disk?.syncs ?? true },
    load: readLoads(reading, regions),
    outbound: outboundOf(document),
    always: invariantsOf(reading, 'always'),
    finally: invariantsOf(reading, 'finally'),
    liveness: {
      answersMs: ms(liveness.answers, 30_000),
      convergeMs: ms(liveness.converge, Math.max(120_000, 6 * network.lag.p99Ms)),
    },
    watch:
      watch === undefined ? null : { name: watch.name, value: { text: watch.value, place: placeOf(source, ['watch', 'value']) } },
    baseline: typeof baseline === 'string' ? [baseline] : baseline,
  };
}

function regionsOf({ document: { regions }, app, source, problems }: Reading): readonly string[] {
  const numbered = (count: number) => Array.from({ length: count }, (_, index) => `r${index + 1}`);
  if (Array.isArray(regions)) {
    const twice = regions.find((region, index) => regions.indexOf(region) !== index);
    if (twice !== undefined) problems.add(source.placeOf(['regions']), `There are two regions \`${twice}\`.`, 'Name each once.');
    return regions;
  }
  if (typeof regions === 'number') return numbered(regions);
  return app.settings.regions.length > 0 ? app.settings.regions : numbered(5);
}

function networkOf(given: ScenarioDocument['network'] = {}): NetworkSettings {
  return {
    lag: spread(given.lag, 400),
    rtt: spread(given.rtt, 40),
    jitterMs: ms(given.jitter, 0),
    timeoutMs: ms(given.timeout, 2_000),
    retryMs: 200,
    contactMs: ms(given.contact, 1_000),
    loss: given.loss ?? 0,
    duplication: given.duplication ?? 0,
    reordering: given.reordering ?? 0,
    lateness: given.lateness ?? 0,
  };
}

function checkSpreads({ source, problems }: Reading, network: NetworkSettings): void {
  for (const name of ['lag', 'rtt'] as const) {
    const { medianMs, p99Ms } = network[name];
    if (p99Ms >= medianMs && (p99Ms === medianMs || medianMs > 0)) continue;
    const message = `\`network.${name}\` has a median of ${medianMs} ms and a 99th percentile of ${p99Ms} ms.`;
    problems.add(source.placeOf(['network', name]), message, 'The median is more than 0 and the 99th percentile not below it.');
  }
}

const outboundOf = ({ outbound = [] }: ScenarioDocument): readonly OutboundRule[] =>
  outbound.map(({ url, status = 200, body = null, takes, fails = 0 }) => ({
    ...{ url, status, fails, body: body as OutboundRule['body'] },
    takes: spread(takes, 100),
  }));

function invariantsOf({ source, document }: Reading, when: 'always' | 'finally'): readonly Invariant[] {
  return (document.invariants?.[when] ?? []).map((given, index) => {
    const path = ['invariants', when, index];
    if (typeof given === 'string') return { name: given, that: { text: given, place: placeOf(source, path) } };
    return { name: given.name, that: { text: given.that, place: placeOf(source, [...path, 'that']) } };
  });
}

/** What cannot be evaluated is said before anything runs. */
function checkExpressions({ always, finally: last, watch, load }: Scenario, app: App, problems: Problems): void {
  const checks: Expression[] = [...always, ...last].map(({ that }) => that);
  if (watch !== null) checks.push(watch.value);
  for (const check of checks) problems.attempt(check.place, () => compileCheck(app, check));
  for (const one of load) problems.attempt(one.place, () => compileRequest(one));
}
