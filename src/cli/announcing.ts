/** Shows findings while an app is written: those that are new, and those that are gone. */
import type { App } from '../app.ts';
import { type Finding, formatFinding, formatLine } from '../check/index.ts';
import { describeError } from './command.ts';
import { inspectApp } from './findings.ts';
import { hasColours } from './print.ts';

export interface Announcer {
  /** Prints what has changed since the last call. Never rejects: an app is not held up by what is said of it. */
  announce(app: App): Promise<void>;
}

export function createAnnouncer(directory: string): Announcer {
  let before: readonly Finding[] = [];
  let last: Promise<void> = Promise.resolve();

  async function compare(app: App): Promise<void> {
    const { findings, texts } = await inspectApp(app, directory);
    const options = { texts, colour: hasColours(process.stderr) };
    for (const finding of without(findings, before)) console.error(`${formatFinding(finding, options)}\n`);
    for (const finding of without(before, findings)) console.error(`no longer found: ${formatLine(finding)}`);
    before = findings;
  }
  return {
    announce(app) {
      last = last.then(() => compare(app)).catch((error: unknown) => console.error(`check: ${describeError(error)}`));
      return last;
    },
  };
}

/** Those of `findings` that are not among `others`. One that has only moved is the same: lines and paths do not count. */
function without(findings: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  const left = others.map(essence);
  return findings.filter((finding) => {
    const index = left.indexOf(essence(finding));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

const essence = ({ rule, place, workflow, story }: Finding): string => JSON.stringify([rule, place.file, workflow, story]);
