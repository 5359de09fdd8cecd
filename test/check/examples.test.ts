/** The examples give no finding; each with one step broken does; and the broken wheels are repaired by what `check` says to paste. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AppFile } from '../../src/app.ts';
import { checkDocuments, type Finding } from '../../src/check/index.ts';
import { applied, shown } from './app.ts';

function read(example: string): readonly AppFile[] {
  const folder = join(import.meta.dirname, '../../examples', example);
  const names = readdirSync(join(folder, 'workflows')).map((name) => `workflows/${name}`);
  return ['cffbrw.yaml', ...names].map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}

const findingsOf = (files: readonly AppFile[]): readonly Finding[] => {
  const { findings, problems } = checkDocuments(files);
  expect(problems).toEqual([]);
  return findings;
};

test.each(['wheel', 'auction', 'shop', 'quota', 'flags', 'webhooks'])('the example %s gives no finding', (example) => {
  expect(findingsOf(read(example)).map(shown)).toEqual([]);
});

interface Twin {
  readonly example: string;
  readonly what: string;
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
  readonly finds: readonly string[];
}

const twins: readonly Twin[] = [
  {
    example: 'wheel',
    what: 'says that somebody has won before it takes a voucher',
    file: 'workflows/spin.yaml',
    from: /\n {2}- respond: \{ body: \{ won: false, reason[^\n]*\n[^\n]*/,
    to: '',
    finds: ['R6 spin steps[5]'],
  },
  {
    example: 'auction',
    what: 'keeps the winner as a value that is set',
    file: 'workflows/bid.yaml',
    from: '  - raise: bid\n    key: ${ request.params.lot }\n    value: ${ request.body.amount }\n    with: { bidder: "${ request.body.bidder }" }\n',
    to: '  - set: lot\n    key: ${ request.params.lot }\n    value: "${ { ...lot, winner: request.body.bidder } }"\n',
    finds: ['R4 variables.lot', 'R1 bid steps[5]', 'R2 bid steps[5]'],
  },
  {
    example: 'shop',
    what: 'computes the number in the cart from the cart',
    file: 'workflows/cart-put.yaml',
    from: '[request.params.sku]: request.body.count }',
    to: '[request.params.sku]: ((vars.cart[request.params.cart] ?? {})[request.params.sku] ?? 0) + request.body.count }',
    finds: ['R1 cart-put steps[1]'],
  },
  {
    example: 'quota',
    what: 'counts its exact limit with a sum',
    file: 'workflows/approximate.yaml',
    from: /\n {4}ignore: [^\n]*/g,
    to: '',
    finds: ['R3 approximate steps[1]', 'R2 approximate steps[2]'],
  },
  {
    example: 'flags',
    what: 'puts a flag only where there is none, and counts them',
    file: 'workflows/put.yaml',
    from: '    value: { on:',
    to: '    when: vars.flag[request.params.flag] === null\n    value: { on:',
    finds: ['R2 put steps[0]'],
  },
  {
    example: 'webhooks',
    what: 'tells its subscribers at once, and keeps in one field who was the last',
    file: 'workflows/deliver.yaml',
    from: '{ told: { [request.with.name]: now() } }',
    to: '{ told: request.with.name }',
    finds: ['R5 deliver steps[3]'],
  },
];

describe('with one step broken, there is a finding', () => {
  test.each(twins)('$example: $what', ({ example, file, from, to, finds }) => {
    const files = read(example).map((one) =>
      one.path === file
        ? { ...one, text: one.text.replaceAll(typeof from === 'string' ? from : new RegExp(from, 'g'), to) }
        : one,
    );
    expect(files).not.toEqual(read(example));
    expect(findingsOf(files).map(shown)).toEqual(expect.arrayContaining([...finds]));
    expect(findingsOf(files).some(({ blocks }) => blocks)).toBe(true);
  });
});

describe('the broken wheels', () => {
  test.each([
    ['last-write-wins', ['R3 spin steps[1]', 'R1 spin steps[2]', 'R2 spin steps[2]']],
    ['sum-increments', ['R3 spin steps[1]', 'R2 spin steps[2]']],
    ['max-value', ['R3 spin steps[1]', 'R1 spin steps[2]', 'R2 spin steps[2]']],
  ])('%s: each finding goes away with its own fix, and all of them in the end', (broken, finds) => {
    const files = read(`wheel/broken/${broken}`);
    const findings = findingsOf(files);
    expect(findings.map(shown)).toEqual(finds);
    for (const finding of findings) {
      const left = findingsOf(applied(files, finding)).map(({ rule }) => rule);
      expect(left).not.toContain(finding.rule);
    }
    expect(repaired(files)).toContain('.ok');
  });

  test('the first one is repaired as a person would do it', () => {
    const files = read('wheel/broken/last-write-wins');
    const [, , finding] = findingsOf(files);
    const [app, spin] = finding === undefined ? [] : applied(files, finding);
    expect(app?.text).toContain(
      'stock: { strategy: bounded-counter, initial: 10, window: { every: day, timezone: Asia/Ho_Chi_Minh } }\n',
    );
    expect(spin?.text.split('\n').slice(8, -1)).toEqual([
      '  - respond: { body: { won: false } }',
      '    when: random() >= vars.banner.odds',
      '  - take: stock',
      '    as: taken',
      '  - respond: { body: { won: false, reason: exhausted } }',
      '    when: "!taken.ok"',
      `  - respond: { body: { won: true, code: "\${ 'W-' + slice(uuid(), 0, 8) }", again: false, left: "\${ vars.stock }" } }`,
    ]);
  });
});

/** The workflow after all that can be pasted was pasted. */
function repaired(files: readonly AppFile[]): string {
  let now = files;
  for (let count = 0; count < 10; count++) {
    const next = findingsOf(now).find(({ fix }) => fix.edits.length > 0);
    if (next === undefined) break;
    now = applied(now, next);
  }
  expect(findingsOf(now)).toEqual([]);
  return now.find(({ path }) => path === 'workflows/spin.yaml')?.text ?? '';
}
