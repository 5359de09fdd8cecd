/** `cffbrw/check`: finds lost updates and races in an app before it is deployed. */
export { type Checked, check, checkDocuments } from './check.ts';
export { applyEdits } from './edit.ts';
export { type Edit, type Finding, type Fix, type Related, type RuleId, rules } from './finding.ts';
export { formatJson } from './format-json.ts';
export { formatSarif } from './format-sarif.ts';
export { formatFinding, formatLine, formatText, type TextOptions } from './format-text.ts';
