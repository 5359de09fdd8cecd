/**
 * Receipts: `<32 hexadecimal digits>.<base64url of JSON [issuer, address id, units]>.<authenticator>`. The first part is random; the last is
 * HMAC-SHA256 (RFC 2104) over the second and the first, cut to 128 bits, under a secret that all replicas share. So whoever holds the secret can tell whose
 * it is and for how many units, and a plain take needs no record of its own until it is given back.
 *
 * `units` 0: a list, a hold or a `once`; the issuer keeps a record with the rest.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

export interface Receipt {
  readonly text: string;
  readonly id: string;
  readonly issuer: string;
  /** The id of the (first) address. */
  readonly address: string;
  readonly units: number;
}

export interface Authenticator {
  /** `payload`: from `receiptPayload`. */
  issue(id: string, payload: string): string;
  /** null: nobody with the secret issued this text. */
  verify(text: unknown): Receipt | null;
}

const longestReceipt = 16_384;
const macDigits = 32;
const form = /^([0-9a-f]{32})\.([\w-]+)\.([0-9a-f]{32})$/;
const utf8 = new TextEncoder();

/** `secret`: 64 hexadecimal digits. */
export function createAuthenticator(secret: string): Authenticator {
  const keyed = hmac.create(sha256, hexToBytes(secret));
  // One scratch hash and one output for all, and the state after the last payload: the receipts of one counter differ in their ids alone.
  const scratch = keyed.clone();
  const afterPayload = keyed.clone();
  const output = new Uint8Array(keyed.outputLen);
  let lastPayload: string | null = null;
  const sign = (id: string, payload: string): string => {
    if (payload !== lastPayload) keyed._cloneInto(afterPayload).update(utf8.encode(`${payload}.`));
    lastPayload = payload;
    afterPayload._cloneInto(scratch).update(utf8.encode(id)).digestInto(output);
    return bytesToHex(output.subarray(0, macDigits / 2));
  };
  return {
    issue: (id, payload) => `${id}.${payload}.${sign(id, payload)}`,
    verify(text) {
      if (typeof text !== 'string' || text.length > longestReceipt) return null;
      const [, id, payload, mac] = form.exec(text) ?? [];
      if (id === undefined || payload === undefined || mac === undefined) return null;
      if (!sameDigits(mac, sign(id, payload))) return null;
      const [issuer, address, units] = JSON.parse(fromBase64Url(payload)) as [string, string, number];
      return { text, id, issuer, address, units };
    },
  };
}

/** Where the records and registers of this receipt are. Throws for a text that is none. */
export function placeOfText(text: string): Pick<Receipt, 'id' | 'address' | 'issuer'> {
  const [id = '', payload = ''] = text.split('.');
  const [issuer, address] = JSON.parse(fromBase64Url(payload)) as [string, string];
  return { id, address, issuer };
}

export const receiptPayload = (issuer: string, address: string, units: number): string =>
  toBase64Url(JSON.stringify([issuer, address, units]));

/** In a time that does not depend on where they differ. */
function sameDigits(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

function toBase64Url(text: string): string {
  let binary = '';
  for (const byte of utf8.encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
