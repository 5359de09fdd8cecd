/** Whether an app may be run for its users: not with a race, unless somebody says so, and then the log says it, too. */
import type { App } from '../app.ts';
import { formatFinding, formatLine } from '../check/index.ts';
import { CffbrwError } from '../error.ts';
import type { Log } from '../http/index.ts';
import { inspectApp } from './findings.ts';
import { hasColours } from './print.ts';

export interface AdmissionOptions {
  readonly directory: string;
  readonly allowRaces: boolean;
  readonly log: Log;
  /** What is about to be done with it. */
  readonly step: 'started' | 'built';
}

/** What only warns is a line in the log. Rejects with INVALID_APP when a finding blocks, and has printed it. */
export async function admit(app: App, { directory, allowRaces, log, step }: AdmissionOptions): Promise<void> {
  const { findings, texts } = await inspectApp(app, directory);
  const blocking = findings.filter(({ blocks }) => blocks);
  for (const finding of findings) if (!finding.blocks) log({ level: 'warn', message: formatLine(finding) });
  if (blocking.length === 0) return;
  if (allowRaces) {
    for (const finding of blocking)
      log({ level: 'error', message: `${step.toUpperCase()} ALL THE SAME (--allow-races): ${formatLine(finding)}` });
    return;
  }
  const options = { texts, colour: hasColours(process.stderr) };
  for (const finding of blocking) console.error(`${formatFinding(finding, options)}\n`);
  const some = blocking.length === 1 ? 'a finding of check' : `${blocking.length} findings of check`;
  throw new CffbrwError('INVALID_APP', `${app.name} was not ${step}: ${some}, above, would go wrong with two users`, {
    fix: 'Mend it as it says, or waive it in the document with a reason. --allow-races takes it as it is.',
  });
}
