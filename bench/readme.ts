/** `npx tsx bench/readme.ts`: prints what the README quotes between its markers, from the last complete run. */
import { readFileSync } from 'node:fs';
import type { Results } from './figures.ts';
import { markdown, markers } from './print.ts';

const results = JSON.parse(readFileSync(new URL('results/latest.json', import.meta.url), 'utf8')) as Results;
console.log(`${markers[0]}\n${markdown(results)}\n${markers[1]}`);
