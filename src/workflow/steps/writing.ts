/** What the verbs that write one variable have in common: the address, the operation, and the journal. */

import type { Compiled } from '../../expression/expression.ts';
import type { Slot, WindowChoice } from '../../replica/replica.ts';
import type { Address, Key } from '../../strategy/address.ts';
import type { Json } from '../../strategy/json.ts';
import type { Operation, OperationName, Strategy } from '../../strategy/strategy.ts';
import type { Variable } from '../../strategy/variable.ts';
import { type RunFrame, toKey } from '../frame.ts';
import type { Execute, Executed } from '../plan.ts';
import { wrote } from '../written.ts';
import { asInputs, follow, type Inputs } from './verb.ts';

/** `yielded` is what the step gives, from the value before the write; −1: nothing is bound. */
export interface WriteOptions {
  readonly variable: Variable;
  readonly inputs: Compiled;
  readonly operation: OperationName;
  /** The operation's fields, from the step's. */
  readonly fields: (inputs: Inputs) => Readonly<Record<string, unknown>>;
}

/** A step that applies one operation to one address, exactly once per keyed run. */
export function writeStep(options: WriteOptions, finish?: (frame: RunFrame, accepted: boolean) => void): Execute {
  const { variable, inputs, operation } = options;
  const parse = (strategy: Strategy, values: Inputs): Operation =>
    strategy.parse({ ...options.fields(values), operation }, variable);
  let always: Operation | null = null;
  const write = (frame: RunFrame, values: Inputs, slot: Slot): void => {
    const strategy = frame.run.replica.strategyOf(variable);
    const parsed = always ?? parse(strategy, values);
    if (inputs.constant) always = parsed;
    const accepted = frame.once(() => {
      const accepts = finish === undefined || (strategy.accepts?.(frame.run.replica.read(slot), parsed) ?? true);
      wrote(frame.run, frame.run.replica.update(slot, parsed));
      frame.touch(slot);
      return accepts;
    }, true);
    finish?.(frame, accepted);
  };
  const act = (frame: RunFrame, values: Json): Executed => {
    const given = asInputs(values);
    return withSlot(frame, addressOf(frame, variable, given.key), (slot) => write(frame, given, slot));
  };
  return (frame) => {
    const values = frame.evaluate(inputs);
    return values instanceof Promise ? values.then((loaded) => act(frame, loaded)) : act(frame, values);
  };
}

export function keyOf(variable: Variable, key: Json | undefined): Key | undefined {
  return variable.keyed ? toKey(key, `the key of ${variable.name}`) : undefined;
}

export function addressOf(frame: RunFrame, variable: Variable, key: Json | undefined, window?: WindowChoice): Address {
  return frame.run.replica.address(variable.name, keyOf(variable, key), window);
}

/** Runs `action` with the slot of an address, at once when it is in memory. */
export function withSlot<Result>(
  frame: RunFrame,
  address: Address,
  action: (slot: Slot) => Result | Promise<Result>,
): Result | Promise<Result> {
  const { replica } = frame.run;
  const slot = replica.peek(address);
  if (slot !== undefined) return action(slot);
  return follow(replica.load([address]), () => withSlot(frame, address, action));
}
