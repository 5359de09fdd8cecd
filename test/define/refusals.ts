/** Takes the marks `@ts-expect-error` out of files, compiles them outside the tree, and gives what the compiler says per line. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const mark = '// @ts-expect-error ';

export interface Refusal {
  readonly file: string;
  /** Of the code that must not compile, from 1. */
  readonly line: number;
  readonly why: string;
  /** What the compiler says about that line; '' when it compiles. */
  readonly message: string;
}

export interface Compiled {
  readonly refusals: readonly Refusal[];
  /** What it says about other lines: nothing, if the files are right. */
  readonly others: readonly string[];
}

export async function compileWithoutMarks(files: readonly string[]): Promise<Compiled> {
  const home = mkdtempSync(join(tmpdir(), 'cffbrw-types-'));
  try {
    for (const file of files) writeFileSync(join(home, basename(file)), unmarked(file));
    const options = { noUnusedLocals: false, typeRoots: [join(root, 'node_modules/@types')] };
    writeFileSync(join(home, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(
      join(home, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions: options, include: ['*.ts'] }),
    );
    return sorted(files, messagesIn(await compile(home)));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** As many lines as before; imports of this package point into the tree. */
const unmarked = (file: string): string =>
  readFileSync(join(root, file), 'utf8').replaceAll(mark, '// refused: ').replaceAll("'../../src/", `'${root}/src/`);

function compile(home: string): Promise<string> {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const { bin } = JSON.parse(readFileSync(join(typescript, 'package.json'), 'utf8')) as { bin: { tsc: string } };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(typescript, bin.tsc), '-p', home, '--pretty', 'false'], { cwd: home }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}

interface Message {
  readonly file: string;
  readonly line: number;
  text: string;
}

/** A message's own lines are indented below its first. */
function messagesIn(output: string): Message[] {
  const messages: Message[] = [];
  for (const line of output.split('\n')) {
    const found = /^(.+?)\((\d+),\d+\): (error .*)$/.exec(line);
    const last = messages.at(-1);
    if (found !== null) messages.push({ file: basename(found[1] ?? ''), line: Number(found[2]), text: found[3] ?? '' });
    else if (last !== undefined && line.startsWith(' ')) last.text += `\n${line}`;
  }
  return messages;
}

function sorted(files: readonly string[], messages: readonly Message[]): Compiled {
  const refusals = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((text, index) => {
        const at = text.indexOf(mark);
        if (at < 0) return [];
        const line = index + 2;
        const said = messages.filter((message) => message.file === basename(file) && message.line === line);
        return [{ file, line, why: text.slice(at + mark.length), message: said.map((one) => one.text).join('\n') }];
      }),
  );
  const known = new Set(refusals.map(({ file, line }) => `${basename(file)}:${line}`));
  const others = messages
    .filter(({ file, line }) => !known.has(`${file}:${line}`))
    .map(({ file, line, text }) => `${file}:${line}: ${text}`);
  return { refusals, others };
}
