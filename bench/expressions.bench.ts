/** A condition of a workflow, compiled to closures, against the same condition as a native function. */
import { compileExpression, createFuel, defaultFuel, type Frame, type Scope } from '../src/expression/index.ts';
import type { Json } from '../src/strategy/json.ts';
import { atMost, type PartResult, type Row } from './figures.ts';
import { type Contender, inRounds, of } from './rounds.ts';

export interface ExpressionParameters {
  readonly rounds: number;
  readonly evaluations: number;
}

export const parameters: Record<'small' | 'large', ExpressionParameters> = {
  small: { rounds: 3, evaluations: 600_000 },
  large: { rounds: 15, evaluations: 6_000_000 },
};

const condition = "vars.stock > 0 && request.body.user !== ''";

/** What an app has besides: they make the closures' call sites see many shapes, as they do in a real process. */
const others = [
  'vars.stock < 10 || request.body.user === "ann"',
  'request.body.user ?? "nobody"',
  'len(request.body.user) > 3 ? vars.stock * 2 : vars.stock - 1',
  '[1, 2, 3].map(n => n * vars.stock)',
  '({ user: request.body.user, left: vars.stock })',
  '`W-${ request.body.user }-${ vars.stock % 7 }`',
  '!(vars.stock >= 5) && request.body?.age !== 3',
  'max(vars.stock, 3) + min(1, 2)',
];

const scope: Scope = {
  names: new Map([['request', 0]]),
  variables: new Map([['stock', { keyed: false, strategy: 'sum-increments' }]]),
};

interface Input {
  readonly stock: number;
  readonly request: { readonly body: { readonly user: string } };
}

/** Inputs that differ, so that no result can be kept: every third stock is empty, every fifth user is missing. */
const inputs: readonly Input[] = Array.from({ length: 60 }, (_, at) => ({
  stock: at % 3 === 0 ? 0 : at,
  request: { body: { user: at % 5 === 0 ? '' : `user${at}` } },
}));

const fuel = createFuel();

const frameOf = ({ stock, request }: Input): Frame => ({
  values: [request as unknown as Json],
  read: () => stock,
  age: () => 0,
  now: () => 0,
  random: () => 0,
  uuid: () => '',
  secret: () => '',
  fuel,
});

const native = ({ stock, request }: Input): boolean => stock > 0 && request.body.user !== '';

const names = {
  native: 'native function',
  alone: 'compiled, alone in its process',
  among: 'compiled, among others',
} as const;

export async function run({ rounds, evaluations }: ExpressionParameters): Promise<PartResult> {
  const wrong: string[] = [];
  const compiled = compileExpression(condition, scope);
  const frames = inputs.map(frameOf);
  const expected = (inputs.filter(native).length * evaluations) / inputs.length;

  const measured = (name: string, countTrue: () => number): Contender => ({
    name,
    measure() {
      const start = performance.now();
      const count = countTrue();
      const ns = ((performance.now() - start) / evaluations) * 1_000_000;
      if (count !== expected) wrong.push(`${name}: true ${count} times, not ${expected}`);
      return ns;
    },
  });
  const nativeLoop = measured(names.native, () => {
    let count = 0;
    for (let turn = 0; turn < evaluations / inputs.length; turn += 1) for (const input of inputs) if (native(input)) count += 1;
    return count;
  });
  const compiledLoop = (name: string): Contender =>
    measured(name, () => {
      let count = 0;
      for (let turn = 0; turn < evaluations / frames.length; turn += 1) {
        fuel.left = defaultFuel;
        for (const frame of frames) if (compiled.evaluate(frame) === true) count += 1;
      }
      return count;
    });

  const before = await inRounds([nativeLoop, compiledLoop(names.alone)], 'ns', rounds);
  useOthers(frames);
  const after = await inRounds([nativeLoop, compiledLoop(names.among)], 'ns', rounds);

  const base = of(after, names.native);
  const alone = of(before, names.alone);
  const among = of(after, names.among);
  const rows: Row[] = [
    { name: base.name, unit: 'ns', figure: base.figure, ratios: [], targets: [] },
    { name: alone.name, unit: 'ns', figure: alone.figure, ratios: [alone.times(of(before, names.native))], targets: [] },
    {
      name: among.name,
      unit: 'ns',
      figure: among.figure,
      ratios: [among.times(base)],
      targets: [atMost(among.figure, 'ns', 100)],
    },
  ];
  return {
    part: 'expressions',
    tables: [{ title: `\`${condition}\``, rows }],
    notes: [
      `${inputs.length} different inputs in turns; ${rounds} rounds of ${evaluations} evaluations.`,
      `"Among others": after ${others.length} other expressions ran often enough to be compiled, as in a real app.`,
      'Not measured: loading a variable that is not in memory; reading one is in "variables".',
    ],
    wrong,
  };
}

function useOthers(frames: readonly Frame[]): void {
  const all = others.map((source) => compileExpression(source, scope));
  for (let turn = 0; turn < 2_000; turn += 1) {
    fuel.left = defaultFuel;
    for (const frame of frames) for (const other of all) other.evaluate(frame);
  }
}
