/** Findings as SARIF 2.1.0, which code scanning and editors read. Files are named relative to where the command ran. */
import type { CffbrwError, Place } from '../error.ts';
import { version } from '../version.ts';
import type { Checked } from './check.ts';
import { type Edit, type Finding, type RuleId, rules } from './finding.ts';
import { ruleTexts } from './format-rules.ts';

export const formatSarif = (checked: Checked): string => `${JSON.stringify(sarifLog(checked), null, 2)}\n`;

export const sarifLog = ({ findings, problems }: Checked) => ({
  $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json',
  version: '2.1.0' as const,
  runs: [
    {
      tool: { driver: { name: 'cffbrw', version, semanticVersion: version, rules: ruleIds.map(descriptorOf) } },
      columnKind: 'utf16CodeUnits' as const,
      invocations: [{ executionSuccessful: problems.length === 0, toolExecutionNotifications: problems.map(notificationOf) }],
      results: findings.map(resultOf),
    },
  ],
});

const ruleIds = Object.keys(rules) as readonly RuleId[];
const levelOf = (blocks: boolean) => (blocks ? ('error' as const) : ('warning' as const));

const descriptorOf = (id: RuleId) => ({
  id,
  name: rules[id].name,
  shortDescription: { text: `${rules[id].name}: ${ruleTexts[id]}.` },
  fullDescription: { text: `${ruleTexts[id]}.` },
  defaultConfiguration: { level: levelOf(rules[id].blocks) },
});

const resultOf = ({ rule, blocks, workflow, place, path, story, fix, related }: Finding) => ({
  ruleId: rule,
  ruleIndex: ruleIds.indexOf(rule),
  level: levelOf(blocks),
  message: { text: `${story} ${fix.summary}` },
  locations: [
    { ...locationOf(place), logicalLocations: [{ fullyQualifiedName: workflow === null ? path : `${workflow} ${path}` }] },
  ],
  ...(related.length > 0 && {
    relatedLocations: related.map((other, id) => ({ id, ...locationOf(other.place), message: { text: other.message } })),
  }),
  ...(fix.edits.length > 0 && { fixes: [{ description: { text: fix.summary }, artifactChanges: changesOf(fix.edits) }] }),
});

const locationOf = (place: Place) => ({
  physicalLocation: {
    artifactLocation: artifactOf(place),
    region: { startLine: place.line, startColumn: place.column },
  },
});

/** A part of a document that a program built is named behind its file. */
const artifactOf = ({ file }: Place) => ({ uri: encodeURI(file.replace(/(cffbrw\.config\.m?[jt]s) .*$/, '$1')) });

function changesOf(edits: readonly Edit[]) {
  const files = [...new Set(edits.map(({ place }) => place.file))];
  return files.map((file) => {
    const own = edits.filter(({ place }) => place.file === file);
    return { artifactLocation: artifactOf({ file, line: 1, column: 1 }), replacements: own.map(replacementOf) };
  });
}

const replacementOf = ({ place, end, paste }: Edit) => ({
  deletedRegion: { startLine: place.line, startColumn: place.column, endLine: end.line, endColumn: end.column },
  insertedContent: { text: paste },
});

const notificationOf = ({ code, message, fix, place }: CffbrwError) => ({
  level: 'error' as const,
  descriptor: { id: code },
  message: { text: fix === undefined ? message : `${message} ${fix}` },
  ...(place && { locations: [locationOf(place)] }),
});
