/** The help of every command, in a pipe: where nobody sees colours. */
import { expect, test } from 'vitest';
import { inTemporary, runCli } from '../e2e/process.ts';

// The library of the command line prints no colours in a pipeline of CI, by itself.
const environment = { CI: '', TEST: '', NO_COLOR: '', TERM: 'xterm-256color' };

/** The commands that a help lists. */
const listed = (output: string): readonly string[] =>
  [...(output.split('COMMANDS')[1] ?? '').matchAll(/^ +([a-z][a-z-]*) {2}/gm)].map(([, name]) => name ?? '');

test('every command has a help without escapes, with examples at its end; a wrong option is refused without them, too', () =>
  inTemporary(async (home) => {
    const run = (args: readonly string[]) => runCli(args, home, environment);
    let leaves = 0;
    const look = async (command: readonly string[]): Promise<void> => {
      const { code, output } = await run([...command, '--help']);
      const name = `cffbrw ${command.join(' ')}`;
      expect([name, code, output]).toEqual([name, 0, expect.stringContaining('USAGE cffbrw')]);
      expect(output, name).not.toContain('\u001b');
      const inner = listed(output);
      if (inner.length > 0) {
        for (const one of inner) await look([...command, one]);
        return;
      }
      leaves += 1;
      expect(output, name).toMatch(/\n\nExamples:\n( {2}\S.*\n)+$/);
      const wrong = await run([...command, '--no-such-option']);
      expect([name, wrong.code, wrong.output]).toEqual([name, 2, expect.not.stringContaining('\u001b')]);
    };
    await look([]);
    expect(leaves).toBeGreaterThan(25);
  }));
