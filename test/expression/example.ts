import { type Compiled, compileExpression, createFuel, type Frame, type Scope } from '../../src/expression/index.ts';
import type { Json } from '../../src/strategy/json.ts';

export const scope: Scope = {
  names: new Map([
    ['request', 0],
    ['voucher', 1],
    ['later', 2],
  ]),
  variables: new Map([
    ['stock', { keyed: false, strategy: 'bounded-counter' }],
    ['hits', { keyed: false, strategy: 'sum-increments' }],
    ['highest', { keyed: false, strategy: 'max-value' }],
    ['settings', { keyed: false, strategy: 'last-write-wins' }],
    ['profile', { keyed: true, strategy: 'merge-objects' }],
    ['cart', { keyed: true, strategy: 'merge-objects' }],
  ]),
  secrets: { names: new Set(['KEY']), allowed: false },
};

export const request = {
  body: {
    user: 'ann',
    tags: ['new', 'sale'],
    address: { city: 'Rome', zip: '0150' },
    items: [
      { sku: 'a', count: 2 },
      { sku: 'b', count: 3 },
    ],
  },
};

const unkeyed: Record<string, Json> = { stock: 10, hits: 7, highest: { value: 100, with: null }, settings: { title: 'Wheel' } };

/** A run's frame without reads. */
export const frame = (units = 1_000_000): Frame => ({
  values: [request, { ok: true, left: 3 }],
  read: (index) => index,
  age: () => 1_500,
  now: () => 1_000,
  random: () => 0.5,
  uuid: () => '00000000-0000-4000-8000-000000000000',
  secret: (name) => `value of ${name}`,
  fuel: createFuel(units),
});

/** Evaluates as a run would. */
export function evaluate(compiled: Compiled, units?: number, more: readonly Json[] = []): Json {
  const { values, ...rest } = frame(units);
  const base: Frame = { ...rest, values: [...values, null, ...more] };
  const read = (index: number): Json => {
    const { variable, key } = compiled.reads[index] ?? { variable: '', key: null };
    return key === null ? (unkeyed[variable] ?? null) : { name: `value of ${JSON.stringify(key.evaluate({ ...base, read }))}` };
  };
  return compiled.evaluate({ ...base, read });
}

export const run = (source: string, units?: number): Json => evaluate(compileExpression(source, scope), units);
