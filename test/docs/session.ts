/** A section's `$ commands`, run one after the other by one bash in an empty directory, as a reader would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { matches, root } from './page.ts';

export interface Command {
  readonly command: string;
  readonly expected: string;
}

/** `$ command`, lines that go on after `\`, then the output. */
export function commandsIn(code: string): Command[] {
  const commands: { command: string; expected: string }[] = [];
  for (const line of code.trimEnd().split('\n')) {
    const last = commands.at(-1);
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), expected: '' });
    else if (last === undefined) throw new Error(`output before any command: ${line}`);
    else if (last.command.endsWith('\\') && last.expected === '') last.command = `${last.command.slice(0, -1)}${line.trim()}`;
    else last.expected += `${line}\n`;
  }
  return commands;
}

export interface Session {
  /** Runs a command and answers with its output; one that ends with ` &` runs on once `expected` is out. */
  run(command: Command): Promise<string>;
  close(): Promise<void>;
}

const shims = {
  cffbrw: `exec "${process.execPath}" "${join(root, 'dist/cli/main.js')}" "$@"`,
  // In these tests the package is installed already; npx has nothing else to do.
  npx: 'exec "$@"',
};

/** The port of the pages. A free one takes its place. */
const pagePort = '3000';

export async function openSession(files: readonly { readonly path: string; readonly text: string }[]): Promise<Session> {
  const home = mkdtempSync(join(tmpdir(), 'cffbrw-docs-'));
  const work = join(home, 'work');
  mkdirSync(join(home, 'bin'));
  for (const [name, script] of Object.entries(shims)) {
    writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(home, 'bin', name), 0o755);
  }
  mkdirSync(work);
  for (const { path, text } of files) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), text);
  }
  // The pages are read in a clone, where the examples are at hand.
  if (!existsSync(join(work, 'examples'))) symlinkSync(join(root, 'examples'), join(work, 'examples'));
  const port = String(await freePort());
  const shell = spawn('bash', ['--norc', '--noprofile'], {
    cwd: work,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: `${join(home, 'bin')}:${process.env.PATH}`,
      HOME: home,
      XDG_STATE_HOME: join(home, 'state'),
      PORT: port,
      NO_COLOR: '1',
      NO_PROXY: '*',
    },
  });
  // One pipe for both, so that what is printed keeps its order.
  shell.stdin?.write('exec 2>&1\n');
  const output = collect(shell);
  const toShell = (text: string) => text.replaceAll(pagePort, port);
  const toPage = (text: string) => text.replaceAll(port, pagePort);
  let count = 0;
  return {
    async run({ command, expected }) {
      count += 1;
      const start = output.length();
      if (command.endsWith(' &')) {
        shell.stdin?.write(`${toShell(command)}\n`);
        await output.until((text) => matches(toPage(text.slice(start)), expected));
        return toPage(output.text().slice(start));
      }
      const marker = `cffbrw-docs-${count}-is-over`;
      shell.stdin?.write(`${toShell(command)}\necho ${marker}\n`);
      await output.until((text) => text.includes(`${marker}\n`, start));
      return toPage(output.text().slice(start, output.text().indexOf(marker, start)));
    },
    async close() {
      const ended = new Promise((resolve) => shell.on('close', resolve));
      // The shell leads a group of its own: whatever it has started ends with it.
      if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function collect(shell: ChildProcess) {
  let all = '';
  let check = () => {};
  const add = (chunk: Buffer) => {
    all += chunk.toString();
    check();
  };
  shell.stdout?.on('data', add);
  shell.stderr?.on('data', add);
  return {
    text: () => all,
    length: () => all.length,
    /** Resolves when the output is as wanted, or after 25 s: what is there then says what is wrong. */
    until: (wanted: (text: string) => boolean) =>
      new Promise<void>((resolve) => {
        const giveUp = setTimeout(resolve, 25_000);
        check = () => {
          if (!wanted(all)) return;
          clearTimeout(giveUp);
          check = () => {};
          resolve();
        };
        check();
      }),
  };
}

/** Below the range that the system gives to outgoing connections, and none that a page names. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
