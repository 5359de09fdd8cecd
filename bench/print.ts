/** Results as text: for the terminal, and as Markdown for the README. */
import { format, formatTimes, type Machine, type PartResult, type Results, type Row, type Table } from './figures.ts';

const headings = ['', 'figure', 'ratio', 'target'] as const;
type Cells = readonly [string, string, string, string];

const ratiosOf = (row: Row): string => row.ratios.map(({ to, times }) => `${formatTimes(times)} ${to}`).join(', ');
const targetsOf = (row: Row): string => row.targets.map(({ text, met }) => `${text}: ${met ? 'met' : 'MISSED'}`).join(', ');

const cellsOf = (row: Row): Cells => [
  row.name,
  row.note === undefined ? format(row.figure, row.unit) : `${format(row.figure, row.unit)} (${row.note})`,
  ratiosOf(row),
  targetsOf(row),
];

function printTable({ title, rows }: Table): string {
  const lines = rows.map(cellsOf);
  const widths = headings.map((heading, column) => Math.max(heading.length, ...lines.map((line) => (line[column] ?? '').length)));
  const text = (cells: Cells): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [title, text(headings), rule, ...lines.map(text)].join('\n');
}

export function printPart({ part, tables, notes, wrong }: PartResult): string {
  const blocks = [
    ...tables.map(printTable),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
    ...(wrong.length > 0 ? [wrong.map((one) => `WRONG: ${one}`).join('\n')] : []),
  ];
  return `== ${part} ==\n\n${blocks.join('\n\n')}\n`;
}

export const printMachine = ({ cpu, cores, memoryGB, system, node, date, fileSystem }: Machine): string =>
  `${cpu}, ${cores} cores, ${memoryGB} GB, ${system}, data on ${fileSystem}, Node ${node}, ${date}`;

/** What the README and other pages quote, between their markers. */
export function markdown({ machine, parts }: Results, command = 'npm run bench'): string {
  const tables = parts.flatMap(({ tables: all }) => all).map(markdownTable);
  return [`Measured by \`${command}\` on ${printMachine(machine)}.`, ...tables].join('\n\n');
}

function markdownTable({ title, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = [title, 'figure', 'ratio', 'target'];
  return [line(head), line(head.map(() => '---')), ...rows.map((row) => line(cellsOf(row)))].join('\n');
}

/** Its opening and closing marker, and what stands between them. */
export const markers = ['<!-- bench -->', '<!-- /bench -->'] as const;

/** What a document has between the markers, or null when it has none. */
export function quotedIn(text: string): string | null {
  const from = text.indexOf(markers[0]);
  const to = text.indexOf(markers[1]);
  return from === -1 || to < from ? null : text.slice(from + markers[0].length, to).trim();
}

/**
 * The lines of a quotation that the results do not print. Prose around the figures is the document's own: only rows of tables and lines
 * with a digit are quotations.
 */
export function misquoted(quotation: string, results: Results, command?: string): string[] {
  const printed = new Set(markdown(results, command).split('\n'));
  return quotationsIn(quotation).filter((line) => !printed.has(line));
}

export const quotationsIn = (text: string): string[] =>
  text.split('\n').filter((line) => /\d/.test(line) || line.startsWith('|'));
