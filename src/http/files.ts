/** The app's `static` folder. Which paths may be asked for is decided here, once, for every platform; the platform reads. */
import { CffbrwError } from '../error.ts';
import type { Host } from '../host.ts';
import type { Fallback, ReadStatic } from './http.ts';
import { type Log, problemResponse, toProblem } from './problem.ts';

export interface FilesOptions {
  readonly host: Host;
  readonly readStatic: ReadStatic;
  readonly log?: Log | undefined;
}

const maxPathLength = 1024;
/** No empty, hidden or dot segment; nothing that a file system could read as a separator, a drive, a stream or an end. */
const safeSegment = /^(?!\.)[^\\/:*?"<>|\p{Cc}\p{Cs}]{1,255}$/u;

/** `/a/b.css` → `a/b.css`, `/` → `index.html`; null for what may not be asked for. `path` has been decoded once but for `%2f` and the like. */
export function filePath(path: string): string | null {
  if (path.length > maxPathLength || !path.startsWith('/')) return null;
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return null;
  }
  // An encoded slash would be another path than the one that was routed.
  if (decoded.split('/').length !== path.split('/').length) return null;
  const asked = decoded.endsWith('/') ? `${decoded}index.html` : decoded;
  const segments = asked.slice(1).split('/');
  return segments.every((segment) => safeSegment.test(segment)) ? segments.join('/') : null;
}

/** A name that changes with its content (`app-3f9c2a1b.js`) may be kept; everything else is asked for again, and answered 304. */
const hashedName = /[-.][0-9a-f]{8,64}\.[a-z0-9]+$/;
const cacheControl = (path: string): string => (hashedName.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');

/** RFC 9110, 13.1.2: weak comparison. */
function isKnown(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const strong = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => strong(tag) === strong(etag));
}

export function createFiles({ host, readStatic, log }: FilesOptions): Fallback {
  const answer = async (request: Request, path: string): Promise<Response | null> => {
    const wanted = filePath(path);
    if (wanted === null) return null;
    const file = await readStatic(wanted);
    if (file === null) return path.endsWith('/') ? null : folder(wanted, path);
    const headers = { etag: file.etag, 'cache-control': cacheControl(wanted) };
    const known = isKnown(request.headers.get('if-none-match'), file.etag);
    const sent = { ...headers, 'content-type': file.type, 'x-content-type-options': 'nosniff' };
    if (!known && request.method === 'GET') return new Response(file.body, { status: 200, headers: sent });
    if (file.body instanceof ReadableStream) await file.body.cancel();
    return known ? new Response(null, { status: 304, headers }) : new Response(null, { status: 200, headers: sent });
  };

  /** A folder without its slash: relative links in its index would break. */
  const folder = async (wanted: string, path: string): Promise<Response | null> => {
    const index = await readStatic(`${wanted}/index.html`);
    if (index === null) return null;
    if (index.body instanceof ReadableStream) await index.body.cancel();
    return new Response(null, { status: 308, headers: { location: `${encodeURI(path)}/` } });
  };

  return async (request, path) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return null;
    try {
      return await answer(request, path);
    } catch (error) {
      const cause = error instanceof CffbrwError ? error : new Error('a static file could not be read', { cause: error });
      return problemResponse(toProblem(cause, host.id, log));
    }
  };
}
