/** Findings as JSON, for programs. The form is schemas/check.schema.json, and stays: fields may be added. */
import type { CffbrwError, Place } from '../error.ts';
import type { Checked } from './check.ts';
import type { Edit, Finding } from './finding.ts';

/** In one object, with a line's end behind it. */
export const formatJson = (checked: Checked): string => `${JSON.stringify(reportOf(checked), null, 2)}\n`;

/** `blocks`: whether a deploy is refused. `app` is null where the documents make none; then `problems` or `findings` say why. */
const reportOf = ({ app, findings, problems }: Checked) => ({
  version: 1,
  app: app?.name ?? null,
  blocks: problems.length > 0 || findings.some(({ blocks }) => blocks),
  findings: findings.map(findingOf),
  problems: problems.map(problemOf),
});

/** Field by field: what is added to a finding is not thereby promised to programs. */
const findingOf = ({ rule, name, blocks, workflow, place, path, story, fix, related }: Finding) => ({
  ...{ rule, name, blocks, workflow, place: placeOf(place), path, story },
  fix: { summary: fix.summary, edits: fix.edits.map(editOf) },
  related: related.map((other) => ({ place: placeOf(other.place), message: other.message })),
});

const placeOf = ({ file, line, column }: Place) => ({ file, line, column });
const editOf = ({ place, end, paste }: Edit) => ({ place: placeOf(place), end: placeOf(end), paste });

const problemOf = ({ code, message, fix, place }: CffbrwError) => ({
  ...{ code, message, fix: fix ?? null },
  place: place === undefined ? null : placeOf(place),
});
