/** A run as a picture: a lane for each replica, a dot for each run, an arrow for each message. For a page, which has the colours. */
import * as Plot from '@observablehq/plot';
import { drawPlot } from './picture.ts';
import type { Timeline, TimelineMark } from './timeline.ts';

export function timelinePlot({ lanes, startMs, endMs, runs, messages, faults, broken, raced }: Timeline, title: string): string {
  const arrows = {
    x1: 'fromMs',
    y1: 'from',
    x2: 'toMs',
    y2: 'to',
    title: 'told',
    headLength: 7,
    insetEnd: 5,
    clip: true,
  } as const;
  const isLate = (late: boolean) => messages.filter((message) => message.late === late);
  return drawPlot({
    title,
    width: 960,
    height: 96 + 64 * lanes.length,
    marginLeft: 110,
    marginRight: 40,
    marginTop: 44,
    marginBottom: 44,
    x: {
      domain: [startMs - (endMs - startMs) * 0.03, endMs],
      label: 'time (s)',
      labelAnchor: 'center',
      tickFormat: (ms: number) => `${ms / 1_000}`,
    },
    y: { type: 'point', domain: [...lanes], label: null, padding: 0.5, tickSize: 0 },
    marks: [
      Plot.ruleY(lanes, { stroke: 'var(--quiet)', strokeOpacity: 0.5 }),
      Plot.ruleX(broken, { x: 'atMs', stroke: 'var(--baseline)', strokeWidth: 1.5 }),
      Plot.text(broken, {
        x: 'atMs',
        frameAnchor: 'top',
        dy: -28,
        dx: -4,
        textAnchor: 'end',
        text: ({ text }: TimelineMark) => `✗ ${text}`,
        fill: 'var(--baseline)',
        fontWeight: 600,
      }),
      Plot.arrow(isLate(false), { ...arrows, stroke: 'var(--quiet)', strokeWidth: 1, strokeOpacity: 0.7 }),
      Plot.arrow(isLate(true), { ...arrows, stroke: 'var(--baseline)', strokeWidth: 2, strokeDasharray: '6 4' }),
      Plot.dot(runs, {
        x: 'atMs',
        y: 'lane',
        r: 5,
        fill: ({ wrote }: { wrote: boolean }) => (wrote ? 'var(--ink)' : 'var(--paper)'),
        stroke: 'var(--ink)',
        title: 'told',
      }),
      Plot.dot(raced, { x: 'atMs', y: 'lane', r: 11, fill: 'none', stroke: 'var(--baseline)', strokeWidth: 2.5 }),
      ...labels(raced, '×', startMs, endMs),
      ...labels(faults, '!', startMs, endMs),
    ],
  });
}

/** Beside its mark, on the side where there is room. */
function labels(marks: readonly TimelineMark[], sign: string, startMs: number, endMs: number) {
  const isLeft = ({ atMs }: TimelineMark) => atMs - startMs < (endMs - startMs) / 2;
  const options = {
    x: 'atMs',
    y: 'lane',
    dy: -20,
    text: ({ text }: TimelineMark) => `${sign} ${text}`,
    fill: 'var(--baseline)',
    stroke: 'var(--paper)',
    strokeWidth: 4,
  } as const;
  return [
    Plot.text(marks.filter(isLeft), { ...options, textAnchor: 'start', dx: -8 }),
    Plot.text(
      marks.filter((mark) => !isLeft(mark)),
      { ...options, textAnchor: 'end', dx: 8 },
    ),
  ];
}
