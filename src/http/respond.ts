/**
 * From how a run ended to a response, in the form that servers answer fastest: text, a status, and plain headers. No header leaves with
 * a character that could start another header.
 */
import { CffbrwError } from '../error.ts';
import type { Answer } from './http.ts';
import { type MakeResponse, type Problem, problemResponse } from './problem.ts';

const isProblem = (outcome: Answer | Problem): outcome is Problem => 'title' in outcome;

/** Shared, and so never changed: what most answers look like. */
const jsonHeaders = Object.freeze({ 'content-type': 'application/json' });
const okJson = Object.freeze({ status: 200, headers: jsonHeaders });

const makeStandard: MakeResponse = (body, init) => new Response(body, init);

/** The response for how a run ended. Throws RUN_FAILED for headers that cannot be sent. */
export function respond(outcome: Answer | Problem, method: string, make: MakeResponse = makeStandard): Response {
  if (isProblem(outcome)) return problemResponse(outcome, {}, make);
  const { status, headers, body } = outcome;
  if (body === undefined || status === 204 || status === 205 || status === 304) {
    return make(null, { status, headers: checkedHeaders(headers ?? {}) });
  }
  if (method === 'HEAD') return make(null, { status, headers: { ...jsonHeaders, ...checkedHeaders(headers ?? {}) } });
  if (headers === undefined || isEmpty(headers))
    return make(JSON.stringify(body), status === 200 ? okJson : { status, headers: jsonHeaders });
  const checked = checkedHeaders(headers);
  const isText = typeof body === 'string' && Object.hasOwn(checked, 'content-type');
  return make(isText ? body : JSON.stringify(body), { status, headers: { ...jsonHeaders, ...checked } });
}

function isEmpty(headers: Readonly<Record<string, string>>): boolean {
  for (const _ in headers) return false;
  return true;
}

const headerName = /^[!#$%&'*+\-.^_`|~\dA-Za-z]{1,128}$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The server's own business: a wrong one would break the connection for the next request on it. */
const framing = new Set(['connection', 'content-length', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** The headers of an answer with lower-case names. Throws RUN_FAILED. */
function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!headerName.test(name) || framing.has(lower))
      throw new CffbrwError('RUN_FAILED', `an answer cannot have the header ${JSON.stringify(name.slice(0, 128))}`);
    if (!headerValue.test(value))
      throw new CffbrwError('RUN_FAILED', `the header ${lower} of the answer holds a character that headers cannot`);
    checked[lower] = value;
  }
  return checked;
}

/** The response for a refusal. */
export function refused(problem: Problem): Response {
  if (problem.status === 401) return problemResponse(problem, { 'www-authenticate': 'Bearer' });
  // What was not read of the body would be taken for the next request.
  return problemResponse(problem, problem.status === 413 ? { connection: 'close' } : undefined);
}
