/** Asking through the app's handler, and what its answers must be (C4). */
import { errorCodes } from '../../error.ts';
import type { Answer } from '../ask.ts';
import type { AskAction } from './plan.ts';
import { report, type Stage, type Told } from './stage.ts';

export interface Body {
  readonly n: number;
  readonly key: string;
  readonly text: string;
}

export type Reply = Readonly<Record<string, unknown>>;

/** The answer as somebody understands it who knows nothing but the table of codes. */
export async function askHandler(
  stage: Stage,
  { region }: AskAction,
  path: string,
  body: Body,
  key?: string,
): Promise<Told<Reply>> {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const answer = await stage.cluster.ask(region, { method: 'POST', path, headers, body: { ...body } });
  if (answer.status === 0) return { kind: 'unknown' };
  if (answer.status < 300) return { kind: 'answered', value: answer.body as Reply };
  const problem = problemOf(answer);
  report(stage, 'C4', problem);
  const { retry } = (answer.body ?? {}) as { retry?: string };
  return { kind: retry === 'no' || retry === 'later' ? 'refused' : 'unknown' };
}

/** What is wrong with a refusal; null: it says what, and whether a retry is safe. */
function problemOf({ status, headers, body }: Answer): string | null {
  const { code, retry, title, ...rest } = (body ?? {}) as Record<string, unknown>;
  const known = typeof code === 'string' && code in errorCodes ? errorCodes[code as keyof typeof errorCodes] : null;
  const text = `${status} ${JSON.stringify(body)}`;
  if (known === null) return `a refusal names no code that we know: ${text}`;
  if (code === 'INVARIANT') return `an answer was a mistake of ours: ${text}`;
  if (known.status !== status || rest.status !== status) return `a refusal has another status than its code: ${text}`;
  if (known.retry !== retry) return `a refusal says something else about a retry than its code: ${text}`;
  if (typeof title !== 'string' || headers['content-type'] !== 'application/problem+json')
    return `a refusal is no problem: ${text}`;
  return null;
}
