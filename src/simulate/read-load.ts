/** Who asks what, and whether that can be played: how long it lasts, and that somebody answers. */
import type { App } from '../app.ts';
import type { Place } from '../error.ts';
import type { Problems } from '../workflow/source.ts';
import { compileRequest, evaluateRequest } from './expressions.ts';
import { createRandom } from './random.ts';
import { knownRegions, ms, placeOf, type Reading } from './reading.ts';
import type { Load, Scenario } from './scenario.ts';

/** A simulation ends after 20 million events, and each time that a replica looks at its backbone is about fifteen. */
const mostContacts = 1_000_000;
/** Of a path that is computed so many are looked at. */
const samples = 10;

export function readLoads(reading: Reading, regions: readonly string[]): readonly Load[] {
  const { source, document, problems } = reading;
  const many = Array.isArray(document.load);
  return [document.load].flat().map((load, index) => {
    const path = many ? ['load', index] : ['load'];
    const request = [...path, 'request'];
    if (!/^(\/|\$\{)/.test(load.request.path))
      problems.add(source.placeOf([...request, 'path']), `\`path\` is \`${load.request.path}\`.`, 'A path begins with `/`.');
    return {
      users: load.users,
      requests: load.requests ?? load.users,
      fromMs: ms(load.from, 0),
      overMs: ms(load.over, 0),
      arrival: load.arrival ?? 'uniform',
      regions: knownRegions(reading, load.regions, [...path, 'regions'], regions),
      method: load.request.method ?? 'GET',
      path: { text: load.request.path, place: placeOf(source, [...request, 'path']) },
      headers: load.request.headers ?? {},
      body: (load.request.body ?? null) as Load['body'],
      place: source.placeOf(request),
    };
  });
}

/** What lasts longer than a simulation can is said before it is played for minutes. */
export function checkLength({ load, faults, regions, network }: Scenario, problems: Problems, place: Place): void {
  const endMs = Math.max(...load.map(({ fromMs, overMs }) => fromMs + overMs), ...faults.map(({ atMs }) => atMs));
  const contacts = (regions.length * endMs) / Math.max(1, network.contactMs);
  if (contacts <= mostContacts) return;
  const count = Math.round(contacts).toLocaleString('en');
  problems.add(
    place,
    `The scenario lasts so long that its ${regions.length} replicas look at their backbone ${count} times, and it may be ${mostContacts.toLocaleString('en')} times.`,
    'Shorten it, or let them look less often: `network: { contact: 10m }`.',
  );
}

/** Requests that no workflow answers would all be 404, and break nothing. */
export function checkAnswered(
  load: Load,
  regions: readonly string[],
  { app, problems }: Pick<Reading, 'app' | 'problems'>,
): void {
  const paths = pathsOf(load, regions);
  if (paths.length === 0 || paths.some((path) => isAnswered(app, load.method, path))) return;
  const routes = [...app.workflows.values()].flatMap(({ http }) => (http === null ? [] : [`${http.method} ${http.path}`]));
  const fix = routes.length === 0 ? 'No workflow has `on: { http: … }`.' : `There are: ${routes.join(', ')}.`;
  problems.add(load.path.place, `No workflow answers \`${load.method} ${paths[0]}\`.`, fix);
}

/** Some of those that are sent; none where that fails, which is said when it is played. */
function pathsOf(load: Load, regions: readonly string[]): readonly string[] {
  const random = createRandom('paths');
  const next = () => random.next();
  try {
    const compiled = compileRequest(load);
    const indexes = Array.from({ length: Math.min(samples, load.requests) }, (_, index) => index);
    return indexes.map((i) =>
      evaluateRequest(compiled, [i % load.users, i, regions[0] ?? ''], next).path.replace(/[?#].*$/s, ''),
    );
  } catch {
    return [];
  }
}

const isAnswered = (app: App, method: string, path: string): boolean =>
  path === app.settings.events?.path ||
  [...app.workflows.values()].some(({ http }) => http?.method === method && isAt(http.path.split('/'), path.split('/')));

const isAt = (route: readonly string[], path: readonly string[]): boolean =>
  route.length === path.length &&
  route.every((segment, index) => segment === path[index] || (/^\{.+\}$/.test(segment) && path[index] !== ''));
