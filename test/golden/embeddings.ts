import type { Tensor } from '../../src/core/index.js';

// What models/test/make-unstructured.py has written to embeddings.json: the numbers of Python's tokenizers and onnxruntime.

export interface Golden {
  readonly texts: readonly ({ readonly text: string } & Readonly<Record<'word-piece' | 'bpe', GoldenText>>)[];
  readonly images: readonly { readonly seed: number; readonly features: readonly number[] }[];
}

export interface GoldenText {
  /** Filled up to 16 or 32. */
  readonly ids: readonly number[];
  /** How many of them are the text's. */
  readonly tokens: number;
  /** By tiny-encoder: mean over the tokens, of length 1. */
  readonly embedding: readonly number[];
}

export const numbersOf = (tensor: Tensor | undefined): number[] => Array.from(tensor?.data ?? [], Number);

/** The image of a seed, as the script makes it. */
export const goldenImage = (seed: number): Tensor<Float32Array> => ({
  shape: [3, 32, 32],
  data: Float32Array.from({ length: 3 * 32 * 32 }, (_, at) => ((at * (seed * 7 + 13)) % 256) / 255),
});
