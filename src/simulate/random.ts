/**
 * Seeded random numbers: sfc32 (Chris Doty-Humphrey, PractRand, "Small Fast Counting"), its state filled from a text by
 * MurmurHash3's mixing (Austin Appleby; the form called xmur3, by bryc).
 *
 * A fork is named, and depends on the seed and the name alone: what one part of a simulation draws never shifts another's numbers.
 */

export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** A uniform integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** True with this probability (0 to 1). At 0 and at 1 nothing is drawn. */
  chance(probability: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(choices: readonly T[]): T;
  /** So many random bytes as lower-case hexadecimal digits. */
  hex(bytes: number): string;
  /** A stream of its own. The same label gives the same stream again. */
  fork(label: string): Random;
}

/** Any text or number is a seed. */
export function createRandom(seed: string | number): Random {
  const draw = sfc32(String(seed));
  const next = () => (draw() >>> 5) * 2 ** -27 + (draw() >>> 6) * 2 ** -53;
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    chance: (probability) => (probability <= 0 ? false : probability >= 1 || next() < probability),
    pick(choices) {
      const index = integer(0, choices.length - 1);
      if (index < 0 || index >= choices.length) throw new RangeError('there is nothing to pick from');
      return choices[index] as (typeof choices)[number];
    },
    hex(bytes) {
      let text = '';
      while (text.length < 2 * bytes) text += draw().toString(16).padStart(8, '0');
      return text.slice(0, 2 * bytes);
    },
    fork: (label) => createRandom(`${seed}/${label}`),
  };
}

function sfc32(seed: string): () => number {
  const mix = xmur3(seed);
  let a = mix();
  let b = mix();
  let c = mix();
  let counter = 1;
  const draw = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) draw();
  return draw;
}

function xmur3(text: string): () => number {
  let hash = 1779033703 ^ text.length;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 3432918353);
    hash = (hash << 13) | (hash >>> 19);
  }
  return () => {
    hash = Math.imul(hash ^ (hash >>> 16), 2246822507);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
    hash ^= hash >>> 16;
    return hash;
  };
}

/** A number for a history: equal for equal texts in equal order. */
export interface Fingerprint {
  add(text: string): void;
  /** 16 hexadecimal digits. */
  text(): string;
}

/** 64 bits, by two multiplicative hashes side by side (cyrb64, by bryc): not against forgery. */
export function createFingerprint(): Fingerprint {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  return {
    add(text) {
      for (let index = 0; index < text.length; index += 1) {
        const code = text.charCodeAt(index);
        high = Math.imul(high ^ code, 2654435761);
        low = Math.imul(low ^ code, 1597334677);
      }
      high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
      low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
    },
    text: () => [high, low].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join(''),
  };
}
