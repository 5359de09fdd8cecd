/** `check` on an app much larger than most: what `dev` waits for after a change, besides compiling it. */
import { type AppFile, loadApp } from '../src/app.ts';
import { check } from '../src/check/index.ts';
import { atMost, type PartResult } from './figures.ts';
import { inRounds, of } from './rounds.ts';

export interface CheckParameters {
  readonly rounds: number;
  readonly workflows: number;
}

export const parameters: Record<'small' | 'large', CheckParameters> = {
  small: { rounds: 1, workflows: 200 },
  large: { rounds: 7, workflows: 200 },
};

const body = '{ type: object, required: [user, n], properties: { user: { type: string }, n: { type: integer } } }';

/** Every tenth is one that others call. */
const isCalled = (name: number): boolean => name % 10 === 9;

const givenTo = (name: number): string => (isCalled(name) ? 'request.with' : 'request.body');

/** Twenty steps, one of which is a finding; no expression is the same in two workflows. */
const workflow = (name: number): AppFile => ({
  path: `workflows/w${name}.yaml`,
  text: `cffbrw: 1
workflow: w${name}
on: { ${isCalled(name) ? `call: { with: ${body} }` : `http: { method: POST, path: /w${name}, body: ${body} }`} }
steps:
  - let: { user: "\${ ${givenTo(name)}.user ?? 'w${name}' }", n: "\${ (${givenTo(name)}.n ?? 0) + ${name} }" }
  - let: { used: "\${ vars.used[user] + ${name} }", profile: "\${ vars.profile[user] ?? {} }" }
${Array.from(
  { length: 4 },
  (_, at) => `  - merge: profile
    key: \${ user }
    value: "\${ { w${name}: { at${at}: (profile.other ?? ${at}) + n } } }"
    when: n > ${at} && len(user) < ${name + at + 10}
  - add: used
    key: \${ [user, ${at}] }
    amount: \${ n + ${at} }
  - if: random() < 0.${at + 1}
    then:
      - log: { level: info, message: "${name} \${ used + ${at} }" }
`,
).join('')}  - add: used
    key: \${ user }
    when: used < ${name + 100}
${isCalled(name) ? '  - log: { level: info, message: end }\n' : `  - call: w${name - (name % 10) + 9}\n    with: { user: "\${ user }", n: "\${ n }" }\n`}`,
});

const settings = `cffbrw: 1
app: large
variables:
  used: { strategy: sum-increments, keyed: true }
  profile: { strategy: merge-objects, keyed: true }
`;

const filesOf = (workflows: number): readonly AppFile[] => [
  { path: 'cffbrw.yaml', text: settings },
  ...Array.from({ length: workflows }, (_, at) => workflow(at)),
];

export async function run({ rounds, workflows }: CheckParameters): Promise<PartResult> {
  const files = filesOf(workflows);
  const wrong: string[] = [];
  const compiles = {
    name: 'reading and compiling it',
    measure() {
      const start = performance.now();
      loadApp(files);
      return performance.now() - start;
    },
  };
  const app = loadApp(files);
  const checks = {
    name: '`check`',
    measure() {
      const start = performance.now();
      const found = check(app).length;
      const tookMs = performance.now() - start;
      if (found !== workflows) wrong.push(`${found} findings, not ${workflows}`);
      return tookMs;
    },
  };
  const all = await inRounds([compiles, checks], 'ms', rounds);
  const [base, own] = [of(all, compiles.name), of(all, checks.name)];
  return {
    part: 'check',
    tables: [
      {
        title: `an app of ${workflows} workflows of 20 steps, every tenth of which is called by nine others`,
        rows: [
          { name: base.name, unit: 'ms', figure: base.figure, ratios: [], targets: [] },
          {
            name: own.name,
            unit: 'ms',
            figure: own.figure,
            ratios: [own.times(base)],
            targets: [atMost(own.figure, 'ms', 1_000)],
          },
        ],
      },
    ],
    notes: [`No expression stands twice; ${rounds} rounds.`],
    wrong,
  };
}
