/** Findings for people: place and rule, the line with a mark under it, the story, what it races with, and the fix as text to paste. */
import type { Place } from '../error.ts';
import { formatProblem } from '../workflow/source.ts';
import type { Checked } from './check.ts';
import type { Finding } from './finding.ts';
import { pastesOf } from './format-paste.ts';

export interface TextOptions {
  /** The documents' texts by the names that the places have; one that is missing shows no line. */
  readonly texts: ReadonlyMap<string, string>;
  /** For a terminal. Default: no. */
  readonly colour?: boolean;
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
type Paint = (style: keyof typeof codes, text: string) => string;
const paintOf =
  ({ colour = false }: TextOptions): Paint =>
  (style, text) =>
    colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;

/** Everything that was found, and one line that counts it. */
export function formatText(checked: Checked, options: TextOptions): string {
  const { findings, problems } = checked;
  const shown = findings.map((finding, index) => {
    const twin = findings.slice(0, index).find((other) => isSameFix(other, finding));
    return formatFinding(finding, options, twin);
  });
  return `${[...problems.map(formatProblem), ...shown, countText(checked)].join('\n\n')}\n`;
}

const isSameFix = ({ fix: one }: Finding, { fix: other }: Finding): boolean =>
  one.edits.length > 0 && JSON.stringify(one.edits) === JSON.stringify(other.edits);

/** With `shown`, a finding that has the same text to paste, that text is not shown again. */
export function formatFinding(finding: Finding, options: TextOptions, shown?: Finding): string {
  const paint = paintOf(options);
  const { place, story, related, fix } = finding;
  return [
    `${paint('bold', placeText(place))}  ${ruleText(finding, paint)}  ${whereText(finding)}`,
    ...sourceLines(place, options.texts, paint),
    ...wrapped(story),
    ...related.flatMap((other) => wrapped(`${placeText(other.place)}: ${other.message}`)),
    ...wrapped(`Fix: ${fix.summary}`).map((line) => line.replace(/^ {2}Fix:/, `  ${paint('bold', 'Fix:')}`)),
    ...(shown === undefined ? pasteLines(finding, options, paint) : [`  The text is that of ${shown.rule} above.`]),
  ].join('\n');
}

const pasteLines = ({ fix }: Finding, { texts }: TextOptions, paint: Paint): readonly string[] =>
  pastesOf(fix.edits, texts).flatMap(({ where, text }) => [
    `  ${where}`,
    // As it stands in the file, so that it can be copied.
    ...(text === '' ? [] : [paint('green', text)]),
  ]);

const width = 100;

/** Prose in lines that a terminal shows whole. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The same in one line: `workflows/spin.yaml:12:5  R3 stale-decision (warns)  spin steps[2]: story`. */
export const formatLine = (finding: Finding): string =>
  `${placeText(finding.place)}  ${ruleText(finding)}  ${whereText(finding)}: ${finding.story}`;

const placeText = ({ file, line, column }: Place): string => `${file}:${line}:${column}`;

const ruleText = ({ rule, name, blocks }: Finding, paint: Paint = (_, text) => text): string =>
  paint(blocks ? 'red' : 'yellow', `${rule} ${name} (${blocks ? 'blocks' : 'warns'})`);

const whereText = ({ workflow, path }: Finding): string => (workflow === null ? path : `${workflow} ${path}`);

function sourceLines({ file, line, column }: Place, texts: ReadonlyMap<string, string>, paint: Paint): readonly string[] {
  const text = texts.get(file)?.split(/\r?\n/)[line - 1];
  if (text === undefined || text.trim() === '') return [];
  const number = String(line);
  // A tab in front of the mark is as wide as the one above it.
  const mark = `${text.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`;
  return [`  ${paint('dim', `${number} |`)} ${text}`, `  ${paint('dim', `${' '.repeat(number.length)} |`)} ${mark}`];
}

/** `wheel: 2 findings (1 of them blocking)` */
function countText({ app, findings, problems }: Checked): string {
  const name = app === null ? '' : `${app.name}: `;
  const blocking = findings.filter(({ blocks }) => blocks).length;
  const found = findings.length === 0 ? [] : [`${counted(findings.length, 'finding')} (${blocking} of them blocking)`];
  const wrong = problems.length === 0 ? [] : [counted(problems.length, 'problem')];
  const partly = app === null ? ['not everything could be checked'] : [];
  const all = [...found, ...wrong, ...partly];
  return `${name}${all.length === 0 ? 'nothing found' : all.join(', ')}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
