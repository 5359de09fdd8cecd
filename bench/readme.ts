/**
 * `npx tsx bench/readme.ts`: prints what the README quotes between its markers, from the last complete run. With `cluster` what other pages
 * quote from that of `npm run bench:cluster`.
 */
import { readFileSync } from 'node:fs';
import type { Results } from './figures.ts';
import { markdown, markers } from './print.ts';

const [set = 'latest'] = process.argv.slice(2);
const results = JSON.parse(readFileSync(new URL(`results/${set}.json`, import.meta.url), 'utf8')) as Results;
console.log(`${markers[0]}\n${markdown(results, set === 'cluster' ? 'npm run bench:cluster' : undefined)}\n${markers[1]}`);
