/**
 * JSON from outside. What JSON.parse would silently change or merge is refused here, so that nothing behind the edge ever sees a value
 * that its sender did not write.
 *
 * Invariants:
 *   J1  Nothing recursive sees a text before its nesting is known to be at most `maxJsonDepth`.
 *   J2  A number that arrives is the number that was written: no rounded integer, no Infinity, no vanished fraction.
 *   J3  Each object has each key once (RFC 7493, I-JSON, 2.3), and none that could reach a prototype.
 *   J4  Every string is well-formed Unicode (RFC 7493, 2.1): a lone surrogate would turn two keys into one when it is encoded.
 */
import { CffbrwError } from '../error.ts';
import { forbiddenKeys, type Json } from '../strategy/json.ts';

export const maxJsonDepth = 64;

const refuse = (message: string, fix?: string): never => {
  throw new CffbrwError('INVALID_INPUT', `the body ${message}`, fix === undefined ? {} : { fix });
};

/** The value of a JSON text. Throws INVALID_INPUT. */
export function parseJson(text: string): Json {
  scan(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CffbrwError('INVALID_INPUT', 'the body is not JSON', { cause: error });
  }
}

/** The keys of one open object; a set once they are many. null: a list. */
type Frame = string[] | Set<string> | null;

/** J4: raw text came out of a UTF-8 decoder, so only an escape can be half a pair. */
const surrogateEscape = /\\u[dD][89a-fA-F]/;

/** With the flag `u` a whole pair is one character of another class. */
const halfPair = /\p{Surrogate}/u;

/** One pass over the tokens. What is no JSON passes here: JSON.parse is the judge of that. */
function scan(text: string): void {
  const surrogates = surrogateEscape.test(text);
  const frames: Frame[] = [];
  let frame: Frame = null;
  let keyNext = false;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      const end = stringEnd(text, at);
      if (keyNext && frame !== null) frame = addKey(frame, stringAt(text, at, end), at);
      else if (surrogates && surrogateEscape.test(text.slice(at, end))) stringAt(text, at, end);
      keyNext = false;
      at = end;
    } else if (code === 123 || code === 91) {
      if (frames.length === maxJsonDepth) refuse(`nests deeper than ${maxJsonDepth} levels`);
      frames.push(frame);
      keyNext = code === 123;
      frame = keyNext ? [] : null;
      at++;
    } else if (code === 125 || code === 93) {
      frame = frames.pop() ?? null;
      keyNext = false;
      at++;
    } else if (code === 44) {
      keyNext = frame !== null;
      at++;
    } else at = code === 45 || isDigit(code) ? numberEnd(text, at) : at + 1;
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** The place behind the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) return at + 1;
    if (code === 92) at++;
  }
  return text.length;
}

/** The string itself, its escapes resolved; '' where it is none (JSON.parse refuses the text then). */
function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  let value: string;
  try {
    value = JSON.parse(text.slice(start, end));
  } catch {
    return '';
  }
  if (halfPair.test(value)) refuse(`holds half of a surrogate pair at character ${start}`, 'Send well-formed Unicode.');
  return value;
}

const setFrom = 8;

/** J3. */
function addKey(keys: string[] | Set<string>, key: string, at: number): Frame {
  if (forbiddenKeys.has(key)) refuse(`has the key ${key}, which is not allowed`);
  const known = Array.isArray(keys) ? keys.includes(key) : keys.has(key);
  if (known)
    refuse(
      `has the key ${JSON.stringify(key.slice(0, 64))} twice in one object, again at character ${at}`,
      'Send each key once.',
    );
  if (!Array.isArray(keys)) return keys.add(key);
  keys.push(key);
  return keys.length === setFrom ? new Set(keys) : keys;
}

/** J2. The place behind the number that starts at `start`. */
function numberEnd(text: string, start: number): number {
  let at = start + 1;
  let integer = true;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) continue;
    if (code !== 46 && code !== 101 && code !== 69 && code !== 43 && code !== 45) break;
    integer = false;
  }
  if (!integer || at - start > 15) checkNumber(text.slice(start, at), integer);
  return at;
}

function checkNumber(token: string, integer: boolean): void {
  const value = Number(token);
  const shown = token.slice(0, 40);
  if (!Number.isFinite(value)) {
    if (!Number.isNaN(value)) refuse(`holds the number ${shown}, which is too large`, 'Send it as a string.');
  } else if (integer && !Number.isSafeInteger(value)) {
    refuse(`holds the integer ${shown}, which would be rounded: integers lie within ±(2^53−1)`, 'Send it as a string.');
  } else if (value === 0 && /^-?[0.]*[1-9]/.test(token)) {
    refuse(`holds the number ${shown}, which would become 0`, 'Send it as a string.');
  }
}
