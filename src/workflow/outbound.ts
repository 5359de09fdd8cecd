/**
 * Requests to other servers where a platform connects by itself (a Worker): it reaches the public Internet alone and looks names up where we
 * can't see it, so what can be judged is the name: an address in the place of one, and names that mean something local, are refused.
 *
 * It never follows a redirect, and its errors never hold a part of the request: a URL or a header may be a secret.
 */
import { CffbrwError } from '../error.ts';
import { checkHeader, checkUrl } from './steps/http-request.ts';

const localNames = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/i;
/** As URLs print them: four numbers, or in brackets. */
const anAddress = /^(\d{1,3}(\.\d{1,3}){3}|\[.*\])$/;

type Send = (request: Request) => Promise<Response>;

/** `allow`: host names and addresses that may be reached although they are not public. */
export type GuardOutbound = (allow: readonly string[], send: Send) => Send;

export const guardOutbound: GuardOutbound = (allow, send) => {
  const allowed = new Set(allow.map((entry) => entry.toLowerCase()));
  return async (request) => {
    const { hostname } = checkUrl(request.url);
    for (const [name, value] of request.headers) checkHeader(name, value);
    const plainName = hostname.replace(/^\[|\]$|\.$/g, '');
    if (!allowed.has(plainName) && (anAddress.test(hostname) || localNames.test(hostname))) throw forbidden();
    try {
      return await send(request);
    } catch (cause) {
      if (request.signal.aborted) throw cause;
      throw new CffbrwError('HTTP_FAILED', 'the connection broke before there was an answer', {
        cause,
        fix: 'The other server may or may not have done what it was asked to.',
      });
    }
  };
};

const forbidden = () =>
  new CffbrwError('FORBIDDEN_ADDRESS', 'the address is not one of the public Internet', {
    fix: 'If the app is meant to reach it, name its host in cffbrw.yaml: `outbound: { allow: [billing.internal] }`.',
  });
