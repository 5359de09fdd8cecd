/** Variables whose value is the work of many: what is read of one is old as soon as others are at work, and that is their normal state. */
import type { Variable } from '../../strategy/variable.ts';
import type { Model } from '../effect.ts';
import { sameAddress } from '../fact.ts';
import { readsOf } from '../term.ts';

export function isCounterLike(model: Model, variable: Variable): boolean {
  switch (variable.strategy) {
    case 'sum-increments':
    case 'bounded-counter':
    case 'max-value':
    case 'min-value':
      return true;
    case 'last-write-wins':
      // A setting is written as it is to be; what is computed from itself is a count.
      return model.writes.some(
        (write) =>
          write.variable === variable && write.value !== null && readsOf(write.value).some((read) => sameAddress(read, write)),
      );
    case 'merge-objects':
      return false;
  }
}
