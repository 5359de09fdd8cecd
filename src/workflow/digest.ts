import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonical } from '../strategy/json.ts';

/** Of a JSON value, whatever the order of its fields. */
export const digestOf = (value: unknown): string => bytesToHex(sha256(new TextEncoder().encode(canonical(value))));
