import { createHash } from 'node:crypto';
import type { Discrete } from '../core/index.js';

/** Where answers are kept for other processes. It does not fail: what cannot be read is not there. */
export interface AnswerStore {
  /** What is kept under each key. May be shorter than the keys, where nothing is known. */
  get(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>;
  set(answers: ReadonlyMap<string, Buffer>): Promise<void>;
}

/** What a model gave for a row. */
export interface Remembered {
  readonly scores: Float32Array;
  readonly discrete: readonly Discrete[] | undefined;
}

/** The answers of one model in a store. */
export interface SharedAnswers {
  /** By the keys of rows. */
  recall(keys: readonly string[]): Promise<readonly (Remembered | undefined)[]>;
  /** Nobody waits for it. */
  keep(answers: ReadonlyMap<string, Remembered>): void;
}

/**
 * The answers of a model, for all processes that have the same one: `identity` says which it is, the file as its choice of providers and
 * tensors. The numbers come first, as the bits of float32; what is no float32 follows as JSON.
 */
export function sharedAnswers(store: AnswerStore, identity: string, outputSize: number): SharedAnswers {
  const prefix = `${createHash('sha256').update(identity).digest('base64url')} `;
  return {
    async recall(keys) {
      const found = await store.get(keys.map((key) => prefix + key));
      return found.map((bytes) => bytes && decode(bytes, outputSize));
    },
    keep(answers) {
      void store.set(new Map(Array.from(answers, ([key, answer]) => [prefix + key, encode(answer)])));
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

function encode({ scores, discrete }: Remembered): Buffer {
  // JSON has no zero below zero: it is in brackets.
  const values = discrete?.map((value) => (Object.is(value, -0) ? [0] : value));
  return Buffer.concat([bytesOf(scores), Buffer.from(values === undefined ? '' : JSON.stringify(values))]);
}

/** Nothing where the bytes are of something else. */
function decode(bytes: Buffer, outputSize: number): Remembered | undefined {
  const size = outputSize * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length < size) return undefined;
  const scores = new Float32Array(outputSize);
  bytesOf(scores).set(bytes.subarray(0, size));
  if (bytes.length === size) return { scores, discrete: undefined };
  try {
    const values = JSON.parse(bytes.toString('utf8', size)) as readonly (Discrete | [0])[];
    return { scores, discrete: values.map((value) => (Array.isArray(value) ? -0 : value)) };
  } catch {
    return undefined;
  }
}
