/**
 * Every plan of the swarm that ever broke a claim, made short, as data: `broken/*.json`. A seed alone would mean another plan as soon as the
 * drawing changes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { drain } from '../../src/node/drain.ts';
import { playSwarm, type SwarmPlan } from '../../src/simulate/swarm/swarm.ts';

const folder = join(import.meta.dirname, 'broken');

test.for(readdirSync(folder))('what once broke a claim holds: %s', async (file) => {
  const plan = JSON.parse(readFileSync(join(folder, file), 'utf8')) as SwarmPlan;
  expect((await playSwarm({ plan, drain })).finding).toBeNull();
});
