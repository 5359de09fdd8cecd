/** What can be wrong with an app although each of its documents compiles: paths, routes, events, regions. */
import { type CheckApp, regionNames } from './assemble.ts';
import { suggestion } from './expression/suggest.ts';
import type { Variable } from './strategy/declaration.ts';
import { parameterPattern, parametersOf } from './workflow/compile.ts';
import type { CheckedDocument } from './workflow/document.ts';
import type { HttpTrigger } from './workflow/fields.ts';
import type { Problems, Source } from './workflow/source.ts';

type AppSource = Extract<CheckedDocument, { kind: 'app' }>;

export const checkApp: CheckApp = ({ checked, variables, problems }) => {
  const routes = new Map<string, string>();
  for (const one of checked) {
    if (one.kind === 'workflow') {
      if (one.document.on.http !== undefined) checkPath(one.document.on.http, one.source, problems);
      checkRoute(one, routes, problems);
    }
  }
  const first = checked.find((one) => one.kind === 'app');
  if (first === undefined) return;
  checkEvents(first, variables, problems);
  checkRegions(first, problems);
};

const segmentPattern = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+$/;

function checkPath(http: HttpTrigger, source: Source, problems: Problems): void {
  const wrong = pathProblem(http.path);
  if (wrong !== undefined) {
    problems.add(source.placeOf(['on', 'http', 'path']), ...wrong);
    return;
  }
  const names = parametersOf(http.path);
  const properties = typeof http.params === 'object' ? http.params.properties : undefined;
  for (const name of Object.keys(typeof properties === 'object' && properties !== null ? properties : {})) {
    if (names.includes(name)) continue;
    const place = source.keyPlaceOf(['on', 'http', 'params', 'properties', name]);
    problems.add(place, `The path has no \`{${name}}\`.`, 'Add it to the path, or remove it here.');
  }
}

function pathProblem(path: string): readonly [message: string, fix: string] | undefined {
  if (!path.startsWith('/')) return [`The path \`${path}\` does not start with \`/\`.`, `Write \`/${path}\`.`];
  const segments = path === '/' ? [] : path.slice(1).split('/');
  const wrong = segments.find((segment) => !segmentPattern.test(segment) && !parameterPattern.test(segment));
  if (wrong === '') return [`The path \`${path}\` has an empty part.`, 'Write single slashes, and none at the end.'];
  if (wrong !== undefined) {
    return [`The part \`${wrong}\` of the path cannot be.`, 'A part is letters, digits, - . _ ~, or one `{name}`.'];
  }
  const names = parametersOf(path);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : [`The path names \`{${twice}}\` twice.`, 'Give each part its own name.'];
}

/** `/lots/{a}` and `/lots/{b}` are one path. */
function checkRoute(
  { source, document }: Extract<CheckedDocument, { kind: 'workflow' }>,
  routes: Map<string, string>,
  problems: Problems,
): void {
  const { http } = document.on;
  if (http === undefined) return;
  const route = `${http.method} ${http.path.replace(/\{[^}]*\}/g, '{}')}`;
  const before = routes.get(route);
  if (before !== undefined) {
    problems.add(
      source.placeOf(['on', 'http', 'path']),
      `${http.method} ${http.path} is taken: ${before} has it, too.`,
      'Give one of them another path or method.',
    );
  }
  routes.set(route, source.file);
}

function checkRegions({ source, document }: AppSource, problems: Problems): void {
  for (const [index, name] of (document.regions ?? []).entries()) {
    const place = source.placeOf(['regions', index]);
    if (!(regionNames as readonly string[]).includes(name))
      problems.add(place, `There is no region \`${name}\`.`, suggestion(name, regionNames));
    else if (document.regions?.indexOf(name) !== index)
      problems.add(place, `The region \`${name}\` stands here twice.`, 'Remove one of them.');
  }
}

function checkEvents({ source, document }: AppSource, variables: ReadonlyMap<string, Variable>, problems: Problems): void {
  const { events } = document;
  if (events === undefined) return;
  if (!events.path.startsWith('/'))
    problems.add(
      source.placeOf(['events', 'path']),
      `The path \`${events.path}\` does not start with \`/\`.`,
      `Write \`/${events.path}\`.`,
    );
  for (const [index, name] of events.variables.entries()) {
    if (variables.has(name) || document.variables?.[name] !== undefined) continue;
    problems.add(
      source.placeOf(['events', 'variables', index]),
      `There is no variable \`${name}\`.`,
      suggestion(name, variables.keys()),
    );
  }
}
