export {
  type AppDocument,
  type AppDocuments,
  type AppOptions,
  defineApp,
  defineVariables,
  defineWorkflow,
  type WorkflowDocument,
  type WorkflowOptions,
} from './define.ts';
export type { Condition, Duration, Expression, Given } from './given.ts';
export type { Step, Steps, VerbName } from './steps.ts';
