/** The model of an app: every run that a trigger may start, gone through once. */
import type { App } from '../app.ts';
import type { AnyEffect, Model, WorkflowSource, Write } from './effect.ts';
import { createResolver } from './resolve.ts';
import { walkRun } from './walk.ts';

export function modelOf(app: App): Model {
  const { variables, documents } = app;
  const resolver = createResolver((name) => variables.get(name)?.keyed ?? false);
  const sources = documents.filter((one): one is WorkflowSource => one.kind === 'workflow');
  const workflows = new Map(sources.map((one) => [one.document.workflow, one]));
  const called = new Set<string>();
  const effects: AnyEffect[] = [];
  const walk = (root: WorkflowSource): void => {
    const run = walkRun(root, { resolver, variables, workflows });
    effects.push(...run.effects);
    for (const name of run.called) called.add(name);
  };
  const starts = ({ document: { on } }: WorkflowSource): boolean => on.http !== undefined || on.cron !== undefined;
  sources.filter(starts).forEach(walk);
  // What nothing calls is looked at all the same.
  for (const source of sources) if (!starts(source) && !called.has(source.document.workflow)) walk(source);
  return {
    ...{ app, resolver, effects },
    writes: effects.filter((effect): effect is Write => effect.kind === 'write'),
    settings: documents.find((one) => one.kind === 'app'),
  };
}
