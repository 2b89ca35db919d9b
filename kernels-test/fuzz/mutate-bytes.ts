/**
 * Seeded damage to the bytes of a file: what a bad disk, a bad program or a bad person does to it. The same seed gives
 * the same bytes.
 */
import type { Prng } from '../../src/util/prng.ts';

type Mutation = (bytes: Uint8Array, random: Prng) => Uint8Array;

/** Numbers at which counts, sizes and offsets break. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Pieces of text that readers stumble over. */
const WORDS = [
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  '-1',
  '1e999',
  '99999999999999999999',
  '4294967296',
  'null',
  '{}',
  '[]',
  '""',
  '\u001b]0;x\u0007',
  '\u202e',
  '\r',
  '"',
  '['.repeat(3000),
  '{"a":'.repeat(3000),
];

const whole = (random: Prng, below: number): number => Math.min(below - 1, Math.floor(random.between(0, below)));
const at = (bytes: Uint8Array, random: Prng): number => whole(random, bytes.length + 1);

/** A place: half of them in the first 128 bytes, where headers are. */
const place = (bytes: Uint8Array, random: Prng): number =>
  random.chance(0.5) ? whole(random, Math.min(128, bytes.length)) : whole(random, bytes.length);

const splice = (bytes: Uint8Array, from: number, to: number, between: Uint8Array): Uint8Array => {
  const out = new Uint8Array(bytes.length - (to - from) + between.length);
  out.set(bytes.subarray(0, from));
  out.set(between, from);
  out.set(bytes.subarray(to), from + between.length);
  return out;
};

const MUTATIONS: readonly Mutation[] = [
  // One bit; one byte.
  (bytes, random) => {
    const where = place(bytes, random);
    return bytes.with(where, bytes[where]! ^ (1 << whole(random, 8)));
  },
  (bytes, random) => bytes.with(place(bytes, random), whole(random, 256)),
  // A number of two, four or eight bytes, of either order.
  (bytes, random) => {
    const out = bytes.slice();
    const width = [2, 4, 8][whole(random, 3)]!;
    const value = EDGES[whole(random, EDGES.length)]!;
    const where = place(bytes, random);
    const little = random.chance(0.5);
    for (let k = 0; k < width && where + k < out.length; k++) {
      const shift = 8 * (little ? k : width - 1 - k);
      out[where + k] = shift >= 32 ? (random.chance(0.2) ? 0xff : 0) : value >>> shift;
    }
    return out;
  },
  // The end is missing; a part is missing, twice there, or somewhere else.
  (bytes, random) => bytes.slice(0, at(bytes, random)),
  (bytes, random) => {
    const from = at(bytes, random);
    return splice(bytes, from, Math.min(bytes.length, from + whole(random, 40)), new Uint8Array(0));
  },
  (bytes, random) => {
    const from = at(bytes, random);
    const part = bytes.slice(from, from + whole(random, 200));
    return splice(bytes, from, from, part);
  },
  (bytes, random) => {
    const from = at(bytes, random);
    const where = at(bytes, random);
    return splice(bytes, where, Math.min(bytes.length, where + 16), bytes.slice(from, from + 16));
  },
  // Noise, and bytes after the end.
  (bytes, random) => {
    const from = at(bytes, random);
    return splice(
      bytes,
      from,
      from,
      Uint8Array.from({ length: 1 + whole(random, 64) }, () => whole(random, 256)),
    );
  },
  (bytes, random) => splice(bytes, bytes.length, bytes.length, new Uint8Array(1 + whole(random, 5000)).fill(0x20)),
  // A word in place of nothing, or of what stands there.
  (bytes, random) => {
    const word = new TextEncoder().encode(WORDS[whole(random, WORDS.length)]!);
    const from = at(bytes, random);
    return splice(bytes, from, random.chance(0.5) ? from : Math.min(bytes.length, from + word.length), word);
  },
  // A number of the text becomes another.
  (bytes, random) => {
    const text = Buffer.from(bytes).toString('latin1');
    const numbers = [...text.matchAll(/\d+/g)];
    const chosen = numbers[whole(random, Math.max(1, numbers.length))];
    if (chosen === undefined) return bytes;
    const value = random.chance(0.5) ? String(EDGES[whole(random, EDGES.length)]) : WORDS[3 + whole(random, 5)]!;
    return splice(bytes, chosen.index, chosen.index + chosen[0].length, new TextEncoder().encode(value));
  },
];

/** `bytes` with one mutation drawn from `random`, or up to four. */
export function mutateBytes(bytes: Uint8Array, random: Prng): Uint8Array {
  let out = bytes;
  for (let left = random.chance(0.7) ? 1 : 2 + whole(random, 3); left > 0 && out.length > 0; left--) {
    out = MUTATIONS[whole(random, MUTATIONS.length)]!(out, random);
  }
  return out;
}
