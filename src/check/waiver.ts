/**
 * What an author has accepted: `# cffbrw-ignore R3: why` above a step or in one of its lines, or the step's own `ignore: { R3: why }`.
 * It silences that rule at that step, and needs a reason. One that silences nothing is a finding itself (R0).
 */
import type { LoadedDocument } from '../app.ts';
import type { Place } from '../error.ts';
import { type Path, pathText } from '../workflow/source.ts';
import { type Finding, type RuleId, rules } from './finding.ts';
import { finding } from './report.ts';
import { stepsOf } from './steps.ts';

interface Waiver {
  readonly workflow: string | null;
  readonly rule: string;
  readonly reason: string;
  readonly place: Place;
  /** The path of the step or the declaration; null: nothing stands there. */
  readonly path: string | null;
}

/** The findings that are left, and those about the waivers. */
export function applyWaivers(documents: readonly LoadedDocument[], findings: readonly Finding[]): readonly Finding[] {
  const waivers = documents.flatMap((document) => [...fieldWaivers(document), ...commentWaivers(document)]);
  const used = new Set<Waiver>();
  const left = findings.filter((one) => {
    const own = waivers.filter(
      (waiver) => waiver.rule === one.rule && waiver.path === one.path && waiver.workflow === one.workflow,
    );
    for (const waiver of own) used.add(waiver);
    return !own.some(({ reason }) => reason !== '');
  });
  return [...left, ...waivers.flatMap((waiver) => idle(waiver, used.has(waiver)) ?? [])];
}

function idle({ rule, reason, place, path, workflow }: Waiver, used: boolean): Finding | undefined {
  const report = (story: string, summary: string) => finding('R0', { workflow, place, path: path ?? '' }, { story, summary });
  if (!Object.hasOwn(rules, rule)) return report(`There is no rule ${rule} to ignore.`, `The rules are ${ruleNames}.`);
  if (reason === '')
    return report(
      `This ignores ${rule} and says no reason, so it ignores nothing.`,
      `Write why: \`cffbrw-ignore ${rule}: why\`.`,
    );
  if (used) return undefined;
  return report(
    `This ignores ${rule} (${rules[rule as RuleId].name}), which finds nothing here.`,
    'Remove it, or put it at the step that is meant.',
  );
}

const ruleNames = Object.keys(rules)
  .filter((rule) => rule !== 'R0')
  .join(', ');

const workflowOf = (document: LoadedDocument): string | null =>
  document.kind === 'workflow' ? document.document.workflow : null;

interface Part {
  readonly path: Path;
  readonly first: number;
}

function fieldWaivers(document: LoadedDocument): readonly Waiver[] {
  const { source } = document;
  return stepsOf(document).flatMap(({ path, data }) =>
    Object.entries((data.ignore ?? {}) as Readonly<Record<string, string>>).map(([rule, reason]) => ({
      ...{ workflow: workflowOf(document), rule, reason: reason.trim() },
      place: source.keyPlaceOf([...path, 'ignore', rule]),
      path: pathText(path),
    })),
  );
}

const comment = /#\s*cffbrw-ignore[ \t]+(\w+(?:[ \t]*,[ \t]*\w+)*)[^:]*(?::[ \t]*(.*?))?[ \t]*$/;

/** In a line of its own it is about the step that begins below it; anywhere else about the step that it stands in. */
function commentWaivers(document: LoadedDocument): readonly Waiver[] {
  const { text, source } = document;
  if (text === null || !text.includes('cffbrw-ignore')) return [];
  const parts = partsOf(document);
  const lines = text.split(/\r?\n/);
  return lines.flatMap((content, index) => {
    const match = comment.exec(content);
    if (match === null || isText(content, match.index)) return [];
    const line = index + 1;
    const alone = content.slice(0, match.index).trim() === '';
    const below = alone ? lines.findIndex((one, at) => at > index && !/^\s*(#.*)?$/.test(one)) + 1 : 0;
    const part = parts.find(({ first }) => first === below) ?? parts.findLast(({ first }) => first <= line);
    return (match[1] ?? '').split(/[ \t]*,[ \t]*/).map((rule) => ({
      ...{ workflow: workflowOf(document), rule, reason: match[2] ?? '' },
      place: { file: source.file, line, column: match.index + 1 },
      path: part ? pathText(part.path) : null,
    }));
  });
}

/** Steps, or the declarations of variables, with their first lines, in the order of the text. */
function partsOf(document: LoadedDocument): readonly Part[] {
  const { source } = document;
  const paths =
    document.kind === 'workflow'
      ? stepsOf(document).map(({ path }) => path)
      : Object.keys(document.document.variables ?? {}).map((name) => ['variables', name]);
  const place = (path: Path): Place => (document.kind === 'workflow' ? source.placeOf(path) : source.keyPlaceOf(path));
  return paths.map((path) => ({ path, first: place(path).line }));
}

/** A `#` inside quotes is no comment. */
const isText = (content: string, at: number): boolean => {
  const quotes = content.slice(0, at).match(/["']/g) ?? [];
  return quotes.length % 2 === 1;
};
