/** max-value: keep the highest number ever offered. `raise(v, with?)`, `reset()`. */
import { extremeStrategy } from './extreme.ts';

export const maxValue = /* @__PURE__ */ extremeStrategy({ name: 'max-value', offer: 'raise', exceeds: (a, b) => a > b });
