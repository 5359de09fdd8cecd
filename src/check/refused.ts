/** What the compiler refuses under the name of a rule: R7 (an operation that a strategy does not have) and R9 (a secret out of place). */
import type { AppFile, LoadedDocument } from '../app.ts';
import type { CffbrwError, Place } from '../error.ts';
import { secretRefusal } from '../expression/refuse.ts';
import { checkDocument } from '../workflow/document.ts';
import { collectProblems, pathText } from '../workflow/source.ts';
import { readYaml } from '../workflow/yaml.ts';
import type { Finding } from './finding.ts';
import { finding } from './report.ts';
import { stepsOf } from './steps.ts';

/** The problem as a finding, where a rule has a name for it. */
export function asFinding(problem: CffbrwError, files: readonly AppFile[]): Finding | undefined {
  const { place, message, fix = '' } = problem;
  if (place === undefined) return undefined;
  const isSecret = problem.code === 'INVALID_EXPRESSION' && message.endsWith(secretRefusal);
  if (problem.code !== 'WRONG_OPERATION' && !isSecret) return undefined;
  const story = isSecret
    ? `${message}: what one user is shown, or what is logged and kept, another one may read.`
    : `${message} What two users do at the same moment has no meaning then.`;
  return finding(isSecret ? 'R9' : 'R7', { ...partAt(place, files), place }, { story, summary: fix });
}

function partAt(place: Place, files: readonly AppFile[]): { readonly workflow: string | null; readonly path: string } {
  const document = documentAt(place, files);
  if (document === undefined) return { workflow: null, path: builtPath(place) };
  const steps = stepsOf(document).map(({ path }) => path);
  const path = steps.findLast((one) => isBefore(document.source.placeOf(one), place)) ?? [];
  return { workflow: document.kind === 'workflow' ? document.document.workflow : null, path: pathText(path) };
}

function documentAt({ file }: Place, files: readonly AppFile[]): LoadedDocument | undefined {
  const text = files.find(({ path, data }) => path === file && data === undefined)?.text;
  const source = text === undefined ? null : readYaml(file, text);
  const document = source && checkDocument(source, collectProblems());
  return document && text !== undefined ? { ...document, text } : undefined;
}

const isBefore = (one: Place, other: Place): boolean =>
  one.line < other.line || (one.line === other.line && one.column <= other.column);

/** Of what a program built, the place names the part. */
const builtPath = ({ file }: Place): string => /steps\S*$/.exec(file)?.[0] ?? '';
