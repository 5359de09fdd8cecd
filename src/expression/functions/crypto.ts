/** Digests and encodings of texts, as UTF-8. */
import { hmac as keyed } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Json } from '../../strategy/json.ts';
import { failed } from '../source.ts';
import { charge, chargeText } from '../values.ts';
import { type Call, type FunctionEntry, integer, text } from './entry.ts';

const encoder = new TextEncoder();

/** Paid for per block: a digest of little costs some microseconds. */
function bytes(given: readonly Json[], position: number, call: Call): Uint8Array {
  const value = text(given, position, call);
  charge(call.frame.fuel, value.length + 500, call.site);
  return encoder.encode(value);
}

const hash = (given: readonly Json[], call: Call): Json => bytesToHex(sha256(bytes(given, 0, call)));
const hmac = (given: readonly Json[], call: Call): Json =>
  bytesToHex(keyed(sha256, bytes(given, 0, call), bytes(given, 1, call)));

/** The first 48 bits of the digest: of up to a million buckets none is likelier than another by more than 1 in 10⁸. */
function bucket(given: readonly Json[], call: Call): Json {
  const count = integer(given, 1, call);
  if (count < 1 || count > 1_000_000) throw failed(call.site, 'there are 1 to 1,000,000 buckets', 'For percentages use 100.');
  const digest = sha256(bytes(given, 0, call));
  return digest.subarray(0, 6).reduce((number, byte) => number * 256 + byte, 0) % count;
}

function base64(given: readonly Json[], call: Call): Json {
  charge(call.frame.fuel, 20, call.site);
  const encoded = encoder.encode(text(given, 0, call));
  chargeText(call.frame.fuel, Math.ceil(encoded.length / 3) * 4, call.site);
  let binary = '';
  for (let from = 0; from < encoded.length; from += 8192) binary += String.fromCharCode(...encoded.subarray(from, from + 8192));
  return btoa(binary);
}

const pure = true;
const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const signed = '6afa9046a9579cad143a384c1b564b9a250d27d6f6a63f9f20bf3a7594c9e2c6';

export const hashFunction: FunctionEntry = {
  name: 'hash',
  parameters: 'text',
  summary: 'SHA-256, as 64 hexadecimal digits.',
  example: "hash('abc')",
  result: abc,
  pure,
  call: hash,
};

export const hmacFunction: FunctionEntry = {
  name: 'hmac',
  parameters: 'secret, text',
  summary: 'HMAC-SHA-256, as 64 hexadecimal digits. The first argument may be `secrets.NAME` anywhere.',
  example: "hmac('key', 'text')",
  result: signed,
  pure,
  call: hmac,
};

export const bucketFunction: FunctionEntry = {
  name: 'bucket',
  parameters: 'text, count',
  summary: 'An integer from 0 up to, not including, `count`: the same for the same text, and spread evenly. For percentages.',
  example: "bucket('new-menu:ann', 100)",
  result: 28,
  pure,
  call: bucket,
};

export const base64Function: FunctionEntry = {
  name: 'base64',
  parameters: 'text',
  summary: 'In base64.',
  example: "base64('abc')",
  result: 'YWJj',
  pure,
  call: base64,
};

export const cryptoFunctions: readonly FunctionEntry[] = [hashFunction, hmacFunction, bucketFunction, base64Function];
