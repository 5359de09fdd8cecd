/**
 * What runs gave, as a picture: SVG that stands alone, follows light and dark, and needs no script. Drawn by Observable Plot on a document
 * that is no browser's, so it works on any platform. Both are bundled into the command: nothing else imports this file.
 */
import * as Plot from '@observablehq/plot';
import { DOMImplementation, XMLSerializer } from '@xmldom/xmldom';
import { facetsOf, figure } from './report-words.ts';
import type { Distribution, DocumentRuns, RunSet } from './result.ts';

/** Told apart by more than their colour: each has its own row and its name. */
const colours = {
  light: '--subject: #0b6e4f; --baseline: #b3421f; --quiet: #5c5f66; --ink: #1b1d21; --paper: #fff;',
  dark: '--subject: #4fd1a5; --baseline: #ff9b73; --quiet: #a3a7b0; --ink: #e8e9ec; --paper: #16181c;',
} as const;

/** For a picture that stands alone; a page has its own. */
const ownStyle = `<style>svg{${colours.light}background:var(--paper);color:var(--ink)}
@media (prefers-color-scheme:dark){svg{${colours.dark}}}</style>`;

export const pictureColours = colours;

/** Draws a plot as text. `title`: what a screen reader says of it. */
export function drawPlot({ title, ...options }: Plot.PlotOptions & { readonly title: string }): string {
  const document = new DOMImplementation().createDocument('http://www.w3.org/2000/svg', 'svg', null);
  const drawn = Plot.plot({ ...options, document: document as unknown as Document, ariaLabel: title });
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('font-size', '13');
  const svg = new XMLSerializer().serializeToString(drawn as unknown as Parameters<XMLSerializer['serializeToString']>[0]);
  // A picture is one thing with one name; its parts have none.
  return svg.replace(/<g aria-label="[^"]*"/g, '<g');
}

export const alone = (svg: string): string => svg.replace(/<style>/, `${ownStyle}<style>`);

interface Bar {
  readonly facet: string;
  readonly scenario: string;
  readonly from: number;
  readonly to: number;
  /** Of the tallest bar of its row. */
  readonly height: number;
  readonly colour: string;
  readonly told: string;
}

const colourOf = ({ role }: DocumentRuns): string => `var(--${role})`;

/** A bar of whole numbers stands over its number, not beside it. */
export function barsOf({
  buckets,
}: Distribution): readonly { readonly from: number; readonly to: number; readonly count: number }[] {
  const whole = buckets.every(({ from, to }) => Number.isInteger(from) && Number.isInteger(to));
  return buckets
    .filter(({ count }) => count > 0)
    .map(({ from, to, count }) => ({ from: from - (whole ? 0.5 : 0), to: to - (whole ? 0.5 : 0), count }));
}

/** How the watched figure is spread: a row for each document, a column for each set. A standalone SVG. */
export function histogramPicture(sets: readonly RunSet[]): string {
  return alone(histogramPlot(sets));
}

/** The same for a page, which has the colours. */
export function histogramPlot(sets: readonly RunSet[]): string {
  const rows = facetsOf(sets);
  const bars = rows.flatMap(({ set, document, watched, label }) =>
    barsIn(watched).map((bar): Bar => ({ ...bar, facet: label, scenario: set.scenario, colour: colourOf(document) })),
  );
  const medians = rows.map(({ set, document, watched, label }) => ({
    facet: label,
    scenario: set.scenario,
    median: watched.median,
    colour: colourOf(document),
    text: `median ${figure(watched.median)}`,
  }));
  const labels = [...new Set(rows.map(({ label }) => label))];
  const scenarios = [...new Set(rows.map(({ set }) => set.scenario))];
  return drawPlot({
    title: titleOf(sets),
    width: Math.max(640, 420 * scenarios.length),
    height: 72 + 64 * labels.length,
    marginLeft: 136,
    marginRight: 28,
    marginTop: scenarios.length > 1 ? 36 : 14,
    marginBottom: 40,
    x: { label: sets[0]?.watch ?? null, nice: true, labelAnchor: 'center' },
    y: { axis: null, domain: [0, 1.35] },
    fy: { domain: labels, label: null, padding: 0.12 },
    fx: { domain: scenarios, label: null, axis: scenarios.length > 1 ? 'top' : null, padding: 0.06 },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--quiet)', strokeOpacity: 0.5 }),
      Plot.rectY(bars, {
        ...facets,
        x1: 'from',
        x2: 'to',
        y: 'height',
        fill: 'colour',
        insetLeft: 0.5,
        insetRight: 0.5,
        title: 'told',
      }),
      Plot.text(medians, { ...facets, x: 'median', y: 1.22, text: 'text', fill: 'var(--ink)' }),
    ],
  });
}

const facets = { fy: 'facet', fx: 'scenario' } as const;

function barsIn(watched: Distribution) {
  const bars = barsOf(watched);
  const tallest = Math.max(...bars.map(({ count }) => count));
  return bars.map(({ from, to, count }) => ({
    from,
    to,
    height: count / tallest,
    told: `${figure((from + to) / 2)}: ${count} of ${watched.count} runs`,
  }));
}

function titleOf(sets: readonly RunSet[]): string {
  const told = facetsOf(sets).map(
    ({ label, set, watched }) =>
      `${label}${sets.length > 1 ? ` (${set.scenario})` : ''}: median ${figure(watched.median)}, from ${figure(watched.min)} to ${figure(watched.max)}`,
  );
  return `Histogram of ${sets[0]?.watch ?? 'what is watched'}. ${told.join('; ')}.`;
}
