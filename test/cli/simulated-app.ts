/** An app with one voucher, the same app with a race, and a scenario that shows it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const workflow = (steps: string): string => `cffbrw: 1
workflow: take
on: { http: { method: POST, path: /take } }
steps:
${steps}
`;

const right = workflow(`  - take: stock
    as: got
  - respond: { body: { won: "\${ got.ok }" } }`);

const racing = workflow(`  - respond: { body: { won: false } }
    when: vars.stock <= 0
  - set: stock
    value: \${ vars.stock - 1 }
  - respond: { body: { won: true } }`);

const settings = (app: string, strategy: string): string => `cffbrw: 1
app: ${app}
variables: { stock: { strategy: ${strategy}, initial: 1 } }
`;

export const scenario = `cffbrw: 1
scenario: rush
regions: [hanoi, hue]
network: { lag: 1s, rtt: 20ms }
load: { users: 4, over: 1s, request: { method: POST, path: /take } }
invariants:
  always:
    - { name: one winner, that: "responses.filter(r => r.body?.won === true).length <= 1" }
watch: { name: winners, value: "responses.filter(r => r.body?.won === true).length" }
baseline: racing
`;

/** The files of the app, by their path; those of the baseline are in `racing/`. */
export const appFiles = {
  'cffbrw.yaml': settings('shop', 'bounded-counter'),
  'workflows/take.yaml': right,
  'racing/cffbrw.yaml': settings('racing', 'last-write-wins'),
  'racing/workflows/take.yaml': racing,
  'scenarios/rush.yaml': scenario,
} as const;

/** Writes them under `directory`; `files` come on top of them. */
export async function writeApp(directory: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  for (const [path, text] of Object.entries({ ...appFiles, ...files })) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}
