import { MillraceError } from '../../core/errors.js';
import type { DenseFeature } from './feature.js';
import { combine, finish, hashString } from './hash.js';

/** Which n-grams of a text become features. */
export interface HashedNgramsOptions {
  /** N-grams of `characters` (UTF-16 code units; the default) or of `words` (between white space). */
  readonly of?: 'characters' | 'words';
  /** The lengths of the n-grams: `[3]` by default. */
  readonly sizes?: readonly number[];
  /** The number of dense features. */
  readonly places: number;
  /** The number of characters of a text that are used; 1,000 by default. */
  readonly charsMax?: number;
}

/**
 * A text as a dense vector of fixed length (feature hashing). The hash of each n-gram selects a coordinate and a sign, which is added there;
 * the vector is scaled to length 1. Because of the signs, collisions cancel out on average, so the dot product of two vectors estimates
 * the similarity of their texts. For a missing or empty text all are 0.
 *
 * @example
 * hashedNgrams('title', { sizes: [3, 4], places: 256 }); // spelling: tolerates typos, needs no words
 * hashedNgrams('body', { of: 'words', sizes: [1, 2], places: 1_024 });
 *
 * Clean the text first (`cleanText`): `A` and `a` have different hashes. Memory: 4 bytes per dense feature and record.
 * Source: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
 * @throws MillraceError `config` for invalid sizes, places or characters
 */
export function hashedNgrams<const K extends string>(
  column: K,
  { of = 'characters', sizes = [3], places, charsMax = 1_000 }: HashedNgramsOptions,
): DenseFeature<K> {
  const isCount = (n: number) => Number.isInteger(n) && n >= 1;
  if (sizes.length === 0 || ![...sizes, places, charsMax].every(isCount))
    throw new MillraceError(
      'config',
      `hashedNgrams: sizes is [${sizes.join(', ')}], places is ${places}, charsMax is ${charsMax}`,
      {
        where: column,
        hint: 'give whole numbers from 1',
      },
    );
  const hash = of === 'words' ? hashWords : hashCharacters;
  return Object.freeze({
    part: 'dense',
    kind: 'hashed-ngrams',
    column,
    settings: Object.freeze({ of, sizes: sizes.join(', '), places, charsMax }),
    width: places,
    encode(value, into, at) {
      if (value === null || value === undefined) return;
      const text = String(value).slice(0, charsMax);
      for (const size of sizes)
        hash(text, size, (run) => {
          const spread = finish(run);
          const place = at + ((spread >>> 1) % places);
          into[place] = (into[place] as number) + ((spread & 1) === 0 ? 1 : -1);
        });
      normalize(into, at, places);
    },
  } satisfies DenseFeature<K>);
}

/** Calls back with the hash of each n-gram of `size` code units, without creating substrings. */
function hashCharacters(text: string, size: number, visit: (hash: number) => void): void {
  for (let start = 0; start + size <= text.length; start++) {
    let hash = size;
    for (let i = start; i < start + size; i++) hash = combine(hash, text.charCodeAt(i));
    visit(hash);
  }
}

/** Calls back with the hash of each n-gram of `size` words. */
function hashWords(text: string, size: number, visit: (hash: number) => void): void {
  const words = (text.match(/\S+/g) ?? []).map(hashString);
  for (let start = 0; start + size <= words.length; start++) {
    let hash = size;
    for (let i = start; i < start + size; i++) hash = combine(hash, words[i] as number);
    visit(hash);
  }
}

function normalize(into: Float32Array, at: number, places: number): void {
  let squares = 0;
  for (let i = at; i < at + places; i++) squares += (into[i] as number) ** 2;
  if (squares === 0) return;
  const scale = 1 / Math.sqrt(squares);
  for (let i = at; i < at + places; i++) into[i] = (into[i] as number) * scale;
}
