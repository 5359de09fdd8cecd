/** The steps of a document, wherever they stand in it. */
import type { LoadedDocument } from '../app.ts';
import type { Path } from '../workflow/source.ts';
import { verbs } from '../workflow/steps/verbs.ts';

export interface Step {
  readonly path: Path;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Every step of a document, outer ones before those inside. */
export function stepsOf(document: LoadedDocument): readonly Step[] {
  const steps: Step[] = [];
  const visit = (data: unknown, path: Path, inBlock: boolean): void => {
    if (typeof data !== 'object' || data === null) return;
    if (inBlock) steps.push({ path, data: data as Step['data'] });
    const verb = inBlock ? Object.keys(data).find((name) => verbs.has(name)) : undefined;
    const isBranches = path.at(-1) === 'parallel';
    for (const [name, inner] of Object.entries(data)) {
      if (inBlock && verb !== undefined && !blocks.has(name)) continue;
      const isBlock = Array.isArray(inner) && (blockNames.has(name) || isBranches);
      if (isBlock) for (const [index, step] of inner.entries()) visit(step, [...path, name, index], true);
      else visit(inner, [...path, Array.isArray(data) ? Number(name) : name], false);
    }
  };
  if (document.kind === 'workflow') visit({ steps: document.document.steps }, [], false);
  return steps;
}

const blockNames: ReadonlySet<string> = new Set(['steps', 'then', 'else', 'do', 'default', 'try', 'finally']);
const blocks: ReadonlySet<string> = new Set([...blockNames, 'switch', 'parallel', 'catch']);
