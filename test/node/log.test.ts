import { expect, it } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { createLog, type LogOptions, logLevelOf } from '../../src/node/log.ts';

function lines(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const stream = { write: (text: string) => void written.push(text) };
  return { written, log: createLog({ app: 'shop', stream, ...options }) };
}

it('A line is JSON with its time, level, app, run and data', () => {
  const { written, log } = lines();
  log({ level: 'warn', message: 'two left', workflow: 'buy', id: 'abc', data: { left: 2 } });
  const entry = JSON.parse(written[0] ?? '') as { time: string };
  expect(entry).toEqual({
    level: 'warn',
    time: entry.time,
    app: 'shop',
    workflow: 'buy',
    id: 'abc',
    data: { left: 2 },
    msg: 'two left',
  });
  expect(new Date(entry.time).toISOString()).toBe(entry.time);
});

it('An entry is one line, whatever it holds', () => {
  const { written, log } = lines();
  log({ level: 'info', message: 'a\nb\r\u001b[31m\u2028c', data: 'd\ne', cause: new Error('f\ng') });
  expect(written).toHaveLength(1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  expect(written[0]).toMatch(/^[^\n\r\u001b]*\n$/);
});

it('A cause is there with its stack, for the operator', () => {
  const { written, log } = lines();
  log({ level: 'error', message: 'it failed', cause: new CffbrwError('STORE_FAILED', 'no disk') });
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ cause: { code: 'STORE_FAILED', message: 'no disk' } });
  expect(JSON.parse(written[0] ?? '').cause.stack).toContain('log.test.ts');
});

it('The value of a secret is nowhere in a line, also not where JSON writes it otherwise', () => {
  const secrets = ['s3cret"with\\quotes', 'plain-secret', 'plain-secret-longer', ''];
  const { written, log } = lines({ secrets });
  for (const secret of secrets) {
    log({
      level: 'error',
      message: `m ${secret}`,
      data: { deep: [secret], [secret || 'x']: 1 },
      cause: new Error(`c ${secret}`),
    });
  }
  const all = written.join('');
  for (const part of ['s3cret', 'plain-secret', 'longer']) expect(all).not.toContain(part);
  expect(written.every((line) => JSON.parse(line) !== null)).toBe(true);
});

it('Levels below the one that was chosen are left out', () => {
  const { written, log } = lines({ level: 'warn' });
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log({ level, message: level });
  expect(written.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error']);
  expect([logLevelOf(undefined), logLevelOf(''), logLevelOf('debug')]).toEqual(['info', 'info', 'debug']);
  expect(() => logLevelOf('loud')).toThrow(/no log level loud/);
});
