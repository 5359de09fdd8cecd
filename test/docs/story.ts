/**
 * The story in virtual time: a crowd spins a wheel that answers from five locations, and rows take two seconds from one to the others.
 * The real handler, workflows, replicas and strategies; the same seed gives the same figures.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadApp } from '../../src/app.ts';
import { createLoopback } from '../../src/backbone/index.ts';
import { createHandler } from '../../src/http/handler.ts';
import { openReplica } from '../../src/replica/index.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { createWorld } from '../simulate/world.ts';
import { root } from './page.ts';

export const story = { locations: 5, users: 500, lagMs: 2_000, everyMs: 100, seed: 'story' };

const readWheel = (folder: string) => {
  const directory = join(root, 'examples/wheel', folder);
  const workflows = readdirSync(join(directory, 'workflows')).map((name) => `workflows/${name}`);
  return loadApp(['cffbrw.yaml', ...workflows].map((path) => ({ path, text: readFileSync(join(directory, path), 'utf8') })));
};

/** How many vouchers that version of the wheel gives out. '.' is the wheel itself. */
export async function vouchersGivenOut(folder: string): Promise<number> {
  const app = readWheel(folder);
  const world = createWorld(story.seed);
  const loopback = createLoopback({ host: world.host('backbone'), lagMs: story.lagMs });
  const names = Array.from({ length: story.locations }, (_, index) => `r${index + 1}`);
  const handlers = await world.runUntil(
    Promise.all(
      names.map(async (name) => {
        const host = world.host(name);
        const replica = await openReplica({
          name,
          variables: app.variables,
          host,
          store: memoryStore(),
          backbone: loopback.connect(name),
        });
        return createHandler({ app, replica, host });
      }),
    ),
  );
  const codes = new Set<string>();
  const crowd = world.host('crowd');
  const spin = async (user: number): Promise<void> => {
    await new Promise<void>((resolve) => crowd.after(user * story.everyMs, resolve));
    const request = new Request('http://wheel/wheel/spin', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: `user-${user}` }),
    });
    const response = await handlers[user % handlers.length]?.fetch(request);
    const answer = (await response?.json()) as { won?: boolean; code?: string };
    if (answer.won === true && answer.code !== undefined) codes.add(answer.code);
  };
  await world.runUntil(Promise.all(Array.from({ length: story.users }, (_, user) => spin(user))));
  return codes.size;
}
