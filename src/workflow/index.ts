export { type CheckedDocument, checkDocument } from './document.ts';
export { appSchema, workflowSchema } from './fields.ts';
export type { Limits, LogEntry } from './frame.ts';
export { createKeyedRuns, type KeyedRuns, type RunKey } from './keyed.ts';
export type { Cors, HttpPlan, JsonSchema, Plan, PlannedStep, RequestPart } from './plan.ts';
export { isProblem, type RunAnswer, type RunProblem, type RunResult } from './result.ts';
export { defaultLimits, executeRun, type RunContext, type RunRequest } from './run.ts';
export { formatProblem, pathText } from './source.ts';
export { readYaml } from './yaml.ts';
