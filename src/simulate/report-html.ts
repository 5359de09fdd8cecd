/** A report as one page: no script, nothing from a network; light and dark, small and large, and the figures as tables for who can't see. */
import { histogramPlot, pictureColours } from './picture.ts';
import { timelinePlot } from './picture-timeline.ts';
import {
  type BrokenDocument,
  cellsOf,
  headOf,
  raceText,
  type ScenarioReport,
  shortestText,
  summaryOf,
  verdictOf,
} from './report.ts';
import { findRace } from './report-race.ts';
import { columns, type TraceLine, traceLines } from './report-trace.ts';
import { facetsOf, seconds } from './report-words.ts';
import type { Shrunk } from './shrink.ts';
import { timelineOf } from './timeline.ts';

const style = `
:root { color-scheme: light dark; ${pictureColours.light} --line: #d4d6da; --code: #f3f4f6 }
@media (prefers-color-scheme: dark) { :root { ${pictureColours.dark} --line: #3a3d44; --code: #22252b } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 0 1rem } h2 { font-size: 1.35rem; margin: 3rem 0 .25rem } h3 { font-size: 1.1rem; margin: 2rem 0 .5rem }
.verdict { font-weight: 700 } .PASSED { color: var(--subject) } .FAILED, .STOPPED { color: var(--baseline) }
.quiet { color: var(--quiet) } .wide { overflow-x: auto; margin: 1rem 0 }
.wide:focus-visible { outline: 3px solid var(--subject); outline-offset: 2px } .wide > svg { min-width: 40rem; max-width: 100%; height: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { text-align: left; color: var(--quiet); padding: 0 0 .4rem }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.figures td, .figures thead th:not(:first-child) { text-align: right }
.trace { font-size: .85rem } .trace td, .trace th { padding-right: 1rem; white-space: nowrap }
.raced td, .raced th { background: color-mix(in srgb, var(--baseline) 14%, transparent) } .broke td { color: var(--baseline); font-weight: 600 }
code, pre { font: .9rem/1.5 ui-monospace, monospace; background: var(--code); border-radius: 4px }
code { padding: .1rem .3rem } pre { padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere } pre code { padding: 0 }
`;

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const inText = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? '');

/** Wide things scroll by themselves, also by keyboard. */
const wide = (label: string, inside: string): string =>
  `<div class="wide" role="region" tabindex="0" aria-label="${inText(label)}">${inside}</div>`;

export function reportPage(reports: readonly ScenarioReport[]): string {
  const passed = reports.every((report) => verdictOf(report) === 'PASSED');
  const title = `${passed ? 'Passed' : 'Not passed'}: ${reports.map(({ set }) => set.scenario).join(', ')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${inText(title)} – cffbrw simulate</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>What the simulation says</h1>
${reports.map(scenarioPart).join('\n')}
</main>
</body>
</html>
`;
}

function scenarioPart(report: ScenarioReport): string {
  const { set, file, description } = report;
  const verdict = verdictOf(report);
  const count = `${set.seeds.length} ${set.seeds.length === 1 ? 'seed' : 'seeds'} from ${set.seeds[0] ?? ''} on`;
  return [
    `<section><h2>${inText(set.scenario)}</h2>`,
    `<p class="quiet">${inText(file)}, ${inText(count)}</p>`,
    ...(description === null ? [] : [`<p>${inText(description)}</p>`]),
    `<p><span class="verdict ${verdict}">${verdict}</span> ${inText(summaryOf(report))}</p>`,
    ...set.problems.map(
      ({ message, fix }) => `<p class="FAILED">${inText(message)}${fix === undefined ? '' : `<br>${inText(fix)}`}</p>`,
    ),
    ...(facetsOf([set]).length === 0 ? [] : [wide(`Histogram of ${set.scenario}`, histogramPlot([set]))]),
    figuresTable(report),
    ...report.broken.map((one) => brokenPart(one, set.scenario)),
    '</section>',
  ].join('\n');
}

function figuresTable({ set }: ScenarioReport): string {
  const head = headOf(set).map((cell) => `<th scope="col">${inText(cell)}</th>`);
  const rows = set.documents.map((document) => {
    const [name = '', ...cells] = cellsOf(document, set).map(inText);
    return `<tr><th scope="row">${name}${document.role === 'baseline' ? ' <span class="quiet">(baseline)</span>' : ''}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return wide(
    `Figures of ${set.scenario}`,
    `<table class="figures"><caption>Runs of each document</caption><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`,
  );
}

function brokenPart({ name, role, seed, violations, replay, shortest }: BrokenDocument, scenario: string): string {
  return [
    `<h3>How ${inText(name)} broke${role === 'baseline' ? ', as it should' : ''}</h3>`,
    ...violations.map(
      ({ invariant, message, atMs }) =>
        `<p><strong>${inText(invariant)}</strong>: <code>${inText(message)}</code>, at ${seconds(atMs)} under seed ${inText(seed)}</p>`,
    ),
    `<p>See it again:</p><pre><code>${inText(replay)}</code></pre>`,
    ...(shortest === null ? [] : [shortestPart(shortest, `run of ${scenario} that breaks ${name}`)]),
  ].join('\n');
}

function shortestPart(shortest: Shrunk, what: string): string {
  const { trace, schedule } = shortest.result;
  const race = findRace(trace);
  const label = `Timeline of the shortest ${what}`;
  return [
    `<p>${inText(shortestText(shortest))}</p>`,
    ...(race === null ? [] : [`<p>${inText(raceText(race))}</p>`]),
    wide(
      label,
      timelinePlot(
        timelineOf(trace, schedule.regions, race),
        `${label}: lanes are replicas, dots are runs, arrows are messages. The table below says the same.`,
      ),
    ),
    `<p class="quiet">A dot is a run: full where it wrote. An arrow is a row on its way to another replica.${race === null ? '' : ' Circles: the two steps that raced; the dashed arrow came too late.'}</p>`,
    traceTable(traceLines(trace, { race }), `Events of the shortest ${what}`),
  ].join('\n');
}

function traceTable(lines: readonly TraceLine[], label: string): string {
  const head = ['time', 'replica', ...columns].map((column) => `<th scope="col">${column}</th>`).join('');
  return wide(
    label,
    `<table class="trace"><caption>${inText(label)}</caption><thead><tr>${head}</tr></thead><tbody>${lines.map(traceRow).join('\n')}</tbody></table>`,
  );
}

function traceRow({ event, time, replica, raced, told }: TraceLine): string {
  const kind = raced ? ' class="raced"' : event.kind === 'violation' ? ' class="broke"' : '';
  const rest =
    typeof told === 'string'
      ? `<td colspan="${columns.length}">${inText(told)}</td>`
      : columns.map((column) => `<td>${inText(told[column])}</td>`).join('');
  return `<tr${kind}><td>${time}</td><td>${inText(replica)}</td>${rest}</tr>`;
}
