/** The strategies by name. */
import { boundedCounter } from './bounded-counter.ts';
import { lastWriteWins } from './last-write-wins.ts';
import { maxValue } from './max-value.ts';
import { mergeObjects } from './merge-objects.ts';
import { minValue } from './min-value.ts';
import type { StrategyName } from './names.ts';
import type { Strategy } from './strategy.ts';
import { sumIncrements } from './sum-increments.ts';

export const strategies: Readonly<Record<StrategyName, Strategy>> = /* @__PURE__ */ Object.freeze({
  'last-write-wins': lastWriteWins,
  'sum-increments': sumIncrements,
  'merge-objects': mergeObjects,
  'max-value': maxValue,
  'min-value': minValue,
  'bounded-counter': boundedCounter,
} as const satisfies Record<StrategyName, object>);
