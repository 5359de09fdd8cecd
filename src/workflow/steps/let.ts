import type { Compiled } from '../../expression/expression.ts';
import type { RunFrame } from '../frame.ts';
import type { Executed } from '../plan.ts';
import { defineVerb } from './verb.ts';

export const letVerb = /* @__PURE__ */ defineVerb({
  verb: 'let',
  fields: ({ z }) => ({ let: z.record(z.string(), z.unknown()).meta({ description: 'Names and their values, in order.' }) }),
  yields: false,
  compile(step, context) {
    const bindings = Object.entries(step.let).map(([name, data]) => {
      const compiled = context.value(data, 'let', name);
      return { compiled, slot: context.bind(name, compiled.shape, 'let', name) };
    });
    if (bindings.length === 0) context.refuse('`let` binds nothing.', 'Write `let: { name: value }`.', 'let');
    return (frame) => bindFrom(frame, bindings, 0);
  },
});

interface Binding {
  readonly compiled: Compiled;
  readonly slot: number;
}

/** In order: a later value may use an earlier name. */
function bindFrom(frame: RunFrame, bindings: readonly Binding[], from: number): Executed {
  for (let index = from; index < bindings.length; index++) {
    const binding = bindings[index];
    if (binding === undefined) return;
    const value = frame.evaluate(binding.compiled);
    if (value instanceof Promise) {
      return value.then((loaded) => {
        frame.values[binding.slot] = loaded;
        return bindFrom(frame, bindings, index + 1);
      });
    }
    frame.values[binding.slot] = value;
  }
}
