/** min-value: keep the lowest number ever offered. `lower(v, with?)`, `reset()`. */
import { extremeStrategy } from './extreme.ts';

export const minValue = /* @__PURE__ */ extremeStrategy({ name: 'min-value', offer: 'lower', exceeds: (a, b) => a < b });
