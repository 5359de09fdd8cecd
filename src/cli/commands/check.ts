import { formatJson, formatSarif, formatText } from '../../check/index.ts';
import { command, UsageError } from '../command.ts';
import { type Inspected, inspectDirectory } from '../findings.ts';
import { hasColours } from '../print.ts';

const formats: Readonly<Record<string, (inspected: Inspected) => string>> = {
  text: (inspected) => formatText(inspected, { texts: inspected.texts, colour: hasColours(process.stdout) }),
  json: formatJson,
  sarif: formatSarif,
};

export const check = command({
  name: 'check',
  description: [
    'Finds lost updates and races in an app before it is deployed, and says how to mend them. It changes nothing.',
    'Exit code 0: nothing that blocks a deploy; 1: something that does; 2: the documents have problems, or wrong use.',
  ].join(' '),
  examples: [
    'cffbrw check',
    'cffbrw check examples/wheel/broken/last-write-wins',
    'cffbrw check . --format json',
    'cffbrw check . --format sarif > cffbrw.sarif   (for code scanning)',
  ],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    format: { type: 'string', default: 'text', description: 'text, json or sarif', valueHint: 'format' },
  },
  async run({ dir, format }) {
    const print = Object.hasOwn(formats, format) ? formats[format] : undefined;
    if (print === undefined) throw new UsageError(`--format is text, json or sarif, not “${format}”.`);
    const inspected = await inspectDirectory(dir);
    process.stdout.write(print(inspected));
    if (inspected.problems.length > 0) return 2;
    return inspected.findings.some(({ blocks }) => blocks) ? 1 : 0;
  },
});
