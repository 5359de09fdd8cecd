/** The names of the strategies, and what a variable may be called. */
export const strategyNames = [
  'last-write-wins',
  'sum-increments',
  'merge-objects',
  'max-value',
  'min-value',
  'bounded-counter',
] as const;

export type StrategyName = (typeof strategyNames)[number];

const variableName = /^[a-z][a-zA-Z0-9_-]{0,63}$/;

export const isVariableName = (name: string): boolean => variableName.test(name);
