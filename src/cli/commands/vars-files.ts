/** `cffbrw vars export` and `cffbrw vars import`. */
import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { command } from '../command.ts';
import { writeWhole } from '../write-whole.ts';
import { exportLines, importLines, parseLines } from './vars-lines.ts';
import { print, where, within } from './vars-where.ts';

export const exporting = command({
  name: 'vars export',
  description:
    'Every value as a line of JSON: variables, keys, the current window and the one before. Values, not who wrote them.',
  examples: [
    'cffbrw vars export values.ndjson',
    'cffbrw vars export --only vouchers,spins',
    'cffbrw vars export --data data > values.ndjson',
  ],
  args: {
    file: { type: 'positional', required: false, description: 'The file to write; standard output when left out' },
    only: { type: 'string', description: 'Only these variables, between commas', valueHint: 'names' },
    ...where,
  },
  async run(args) {
    const names = args.only === undefined ? [] : args.only.split(',');
    const lines = await within(args, false, async (source) => {
      const texts: string[] = [];
      for await (const line of exportLines(source, names)) texts.push(`${JSON.stringify(line)}\n`);
      return texts;
    });
    if (args.file === undefined) process.stdout.write(lines.join(''));
    else {
      await writeWhole(args.file, lines.join(''));
      if (args.json) print({ lines: lines.length, file: args.file });
      else console.error(`${lines.length} value(s) in ${args.file}`);
    }
    return 0;
  },
});

export const importing = command({
  name: 'vars import',
  description: [
    'Writes the values of an export, through set, merge, add, raise, lower, mint and burn. A file with a wrong line changes nothing.',
    'What could not be written is told per line; asking again is harmless.',
  ].join(' '),
  examples: [
    'cffbrw vars import values.ndjson --dry-run',
    'cffbrw vars import values.ndjson',
    'cffbrw vars import - --data data < values.ndjson',
  ],
  args: {
    file: { type: 'positional', required: true, description: 'The file of an export; - for standard input' },
    'dry-run': { type: 'boolean', description: 'Say what would be written, and write nothing' },
    ...where,
  },
  async run(args) {
    const text = args.file === '-' ? await readStream(process.stdin) : await readFile(args.file, 'utf8');
    const dryRun = args['dry-run'] === true;
    const report = await within(args, !dryRun, async (source) => {
      const { lines, problems } = parseLines(text, await source.list());
      if (problems.length === 0) return importLines(source, lines, dryRun);
      return { lines: lines.length + problems.length, written: 0, unchanged: 0, skipped: [], failed: problems };
    });
    if (args.json) print({ ...report, dryRun });
    else {
      for (const { line, message } of report.failed) console.error(`line ${line}: ${message}`);
      for (const { line, message } of report.skipped) console.error(`line ${line}: left out: ${message}`);
      const counts = `${report.unchanged} unchanged, ${report.skipped.length} left out, ${report.failed.length} failed`;
      console.log(`${report.lines} line(s): ${report.written} ${dryRun ? 'would be written' : 'written'}, ${counts}`);
    }
    return report.failed.length > 0 ? 1 : 0;
  },
});
