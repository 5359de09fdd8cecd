import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  atLeast,
  atLeastTimes,
  atMost,
  atMostTimes,
  format,
  formatTimes,
  median,
  type Results,
  timesBetter,
  within,
} from '../bench/figures.ts';
import { markdown, markers, misquoted, printPart, quotationsIn, quotedIn } from '../bench/print.ts';
import { inRounds, of } from '../bench/rounds.ts';

const fileAt = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const textOf = (path: string): string => (existsSync(fileAt(path)) ? readFileSync(fileAt(path), 'utf8') : '');

const sample: Results = {
  size: 'large',
  machine: {
    ...{ cpu: 'A CPU', cores: 2, memoryGB: 4, system: 'Linux 6', node: '24.0.0', date: '2026-01-02', fileSystem: 'ext4' },
  },
  parts: [
    {
      part: 'one',
      tables: [
        {
          title: 'add',
          rows: [
            { name: 'theirs', unit: 'operations/s', figure: 250_000, ratios: [], targets: [] },
            {
              ...{ name: 'ours', unit: 'operations/s', figure: 5_000_000, note: 'p50 1 ms' },
              ratios: [{ to: 'theirs', times: 20 }],
              targets: [{ text: '≥ 10 × theirs', met: true }],
            },
          ],
        },
      ],
      notes: ['a note'],
      wrong: [],
    },
  ],
};

describe('figures', () => {
  it('takes the middle of the rounds, so that one slow round changes nothing', () => {
    expect(median([5, 1, 1_000])).toBe(5);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow('median of nothing');
  });

  it('pairs each round with its neighbour, so that a machine that slows down halfway changes no ratio', () => {
    const mine = [200, 30, 20];
    const theirs = [100, 10, 10];
    expect(median(mine) / median(theirs)).toBe(3);
    expect(timesBetter('operations/s', mine, theirs)).toBe(2);
    expect(() => timesBetter('ns', [1], [1, 2])).toThrow('paired');
  });

  it('says that less is better for what takes time or memory', () => {
    expect(timesBetter('ns', [50, 50, 50], [100, 100, 100])).toBe(2);
    expect(timesBetter('MB', [100, 100, 100], [50, 50, 50])).toBe(0.5);
  });

  it('meets a target at its very bound and misses it one step beyond', () => {
    expect(atLeast(3_000_000, 'operations/s', 3_000_000)).toEqual({ text: '≥ 3 M operations/s', met: true });
    expect(atLeast(2_999_999, 'operations/s', 3_000_000).met).toBe(false);
    expect(atMost(100, 'ns', 100).met).toBe(true);
    expect(atMost(100.1, 'ns', 100)).toEqual({ text: '≤ 100 ns', met: false });
    expect([0.79, 0.8, 1.2, 1.21].map((ratio) => within(ratio, 20, 'few').met)).toEqual([false, true, true, false]);
  });

  it('compares with the alternative that a target names, and with nothing else', () => {
    const ratios = [
      { to: 'a', times: 3 },
      { to: 'b', times: 1 },
    ] as const;
    expect(atLeastTimes({ ratios }, 'a', 2)).toEqual({ text: '≥ 2 × a', met: true });
    expect(atLeastTimes({ ratios }, 'b', 2).met).toBe(false);
    expect(() => atLeastTimes({ ratios }, 'c', 2)).toThrow('no ratio to c');
    // A ratio says how many times better: half as good is twice as long.
    const slower = [{ to: 'a', times: 0.5 }] as const;
    expect(atMostTimes({ ratios: slower }, 'a', 2)).toEqual({ text: '≤ 2 × a', met: true });
    expect(atMostTimes({ ratios: slower }, 'a', 1.9).met).toBe(false);
  });

  it('prints three digits and the unit that fits', () => {
    expect([0.05, 0.5, 1.234, 12.34, 123.4, 9_999].map((figure) => format(figure, 'ms'))).toEqual([
      '0.05 ms',
      '0.5 ms',
      '1.23 ms',
      '12.3 ms',
      '123 ms',
      '9999 ms',
    ]);
    expect(format(48_765, 'requests/s')).toBe('48.8 k requests/s');
    expect(format(12_345_678, 'operations/s')).toBe('12.3 M operations/s');
    expect(format(35_900, 'ns')).toBe('35.9 µs');
    expect([0.016, 0.8, 17.94, 100].map(formatTimes)).toEqual(['0.016 ×', '0.8 ×', '17.9 ×', '100 ×']);
  });
});

describe('rounds', () => {
  it('measures in turns, and leaves the first turn out as a warm-up', async () => {
    const order: string[] = [];
    const counting = (name: string) => ({
      name,
      measure() {
        order.push(name);
        return order.length;
      },
    });
    const all = await inRounds([counting('a'), counting('b')], 'ns', 3);
    expect(order.join('')).toBe('abababab');
    expect(of(all, 'a').series).toEqual([3, 5, 7]);
    expect(of(all, 'b').figure).toBe(6);
    expect(() => of(all, 'c')).toThrow('was not measured');
  });
});

describe('what is printed', () => {
  it('shows figure, ratio and verdict in the terminal as in the README', () => {
    const [part] = sample.parts;
    const line = 'ours    5 M operations/s (p50 1 ms)  20 × theirs  ≥ 10 × theirs: met';
    expect(part && printPart(part)).toContain(line);
    expect(markdown(sample)).toContain('| ours | 5 M operations/s (p50 1 ms) | 20 × theirs | ≥ 10 × theirs: met |');
    expect(markdown(sample, 'npm run bench:cluster')).toContain('Measured by `npm run bench:cluster` on A CPU');
    expect(markdown(sample)).toContain('A CPU, 2 cores, 4 GB, Linux 6, data on ext4, Node 24.0.0, 2026-01-02');
  });

  it('says so when a target was missed or an answer was wrong', () => {
    const [part] = sample.parts;
    const row = { name: 'ours', unit: 'ns', figure: 200, ratios: [], targets: [atMost(200, 'ns', 100)] } as const;
    const text = part && printPart({ ...part, tables: [{ title: 't', rows: [row] }], wrong: ['7 answers, 6 counted'] });
    expect(text).toContain('≤ 100 ns: MISSED');
    expect(text).toContain('WRONG: 7 answers, 6 counted');
  });

  it('finds what a document quotes between the markers', () => {
    expect(quotedIn(`before\n${markers[0]}\n| a |\n${markers[1]}\nafter`)).toBe('| a |');
    expect(quotedIn('no markers')).toBeNull();
    expect(quotedIn(`${markers[1]} ${markers[0]}`)).toBeNull();
  });
});

const sets = {
  latest: ['http', 'variables', 'expressions', 'hot-keys', 'start-up'],
  cluster: ['cluster-takes', 'cluster-tail', 'cluster-convergence', 'cluster-bytes', 'cluster-joining'],
} as const;

describe.each(Object.entries(sets))('the results %s', (set, parts) => {
  const text = textOf(`bench/results/${set}.json`);

  it.skipIf(text === '')('are a complete large run in which every answer was right (skipped: there was none yet)', () => {
    const results = JSON.parse(text) as Results;
    expect(results.size).toBe('large');
    expect(results.parts.map(({ part }) => part)).toEqual(expect.arrayContaining([...parts]));
    expect(results.parts.flatMap(({ wrong }) => wrong)).toEqual([]);
  });
});

describe('the README', () => {
  const latest = textOf('bench/results/latest.json');
  const quotation = quotedIn(textOf('README.md')) ?? '';

  it('may quote some rows with prose around them, but no row that was changed', () => {
    const lines = markdown(sample).split('\n');
    const row = lines.find((line) => line.startsWith('| ours')) ?? '';
    expect(misquoted(`What it says:\n\n${row}`, sample)).toEqual([]);
    expect(misquoted(row.replace('5 M', '6 M'), sample)).toEqual([row.replace('5 M', '6 M')]);
    expect(misquoted('It is 20 times as fast.', sample)).toEqual(['It is 20 times as fast.']);
  });

  const quotesNothing = quotationsIn(quotation).length === 0;
  it.skipIf(quotesNothing)(
    'quotes every figure as the last complete run has it (skipped: no figures between its markers)',
    () => {
      expect(misquoted(quotation, JSON.parse(latest) as Results)).toEqual([]);
    },
  );
});
