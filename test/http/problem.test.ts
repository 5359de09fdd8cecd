import { expect, test } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { toProblem } from '../../src/http/problem.ts';

test('what is wrong with how a server is set up is told to its log, and to no client', () => {
  const told: string[] = [];
  const error = new CffbrwError('INVALID_APP', 'the workflow pay needs the secret HOOK', { fix: 'Set HOOK.' });
  const problem = toProblem(
    error,
    () => 'an-id',
    ({ message }) => told.push(message),
  );
  expect(told).toEqual(['the workflow pay needs the secret HOOK\n  → Set HOOK.']);
  expect(problem).toMatchObject({ status: 500, code: 'INVALID_APP', instance: 'urn:cffbrw:an-id' });
  expect(JSON.stringify(problem)).not.toMatch(/HOOK|pay/);
});

test('what a client did wrong is told to the client', () => {
  const error = new CffbrwError('INVALID_INPUT', 'the body is not JSON', { fix: 'Send JSON.' });
  expect(toProblem(error, () => 'an-id')).toMatchObject({ status: 400, detail: 'the body is not JSON', fix: 'Send JSON.' });
});
