/** The commands of the examples' READMEs, run by a shell one after the other as a reader would, and their outputs compared. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { blocksIn, matches, root } from '../docs/page.ts';
import { commandsIn, openSession, type Session } from '../docs/session.ts';

const apps = ['wheel', 'quota', 'shop', 'auction', 'webhooks', 'flags'];
const longestLines = 60;
/** `dev` prints a line per request; a reader has it in another terminal. */
const requestLine = /\d\d:\d\d:\d\d {2}[A-Z]+ .*\n/g;

function filesBelow(directory: string): { path: string; text: string }[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (name === 'data') return [];
    return statSync(path).isDirectory() ? filesBelow(path) : [{ path: relative(root, path), text: readFileSync(path, 'utf8') }];
  });
}

describe('the READMEs of the examples', () => {
  let session: Session | null = null;
  afterEach(() => session?.close());

  test.each(apps)('%s prints what its README shows, on one screen', async (app) => {
    const page = readFileSync(join(root, 'examples', app, 'README.md'), 'utf8');
    expect(page.split('\n').length).toBeLessThanOrEqual(longestLines);
    const commands = blocksIn(`examples/${app}/README.md`, page)
      .filter(({ language }) => language === 'console')
      .flatMap(({ code }) => commandsIn(code));
    expect(commands.filter(({ command }) => command.includes('curl')).length).toBeGreaterThanOrEqual(3);
    session = await openSession(filesBelow(join(root, 'examples', app)));
    for (const command of commands) {
      const actual = (await session.run(command)).replace(requestLine, '');
      const shown = `$ ${command.command}\n`;
      expect(shown + (matches(actual, command.expected) ? command.expected : actual)).toBe(shown + command.expected);
    }
  });
});
