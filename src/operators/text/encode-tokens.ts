import { type Adds, type Free, makeOfEach, type Operator, type Problem, type Tensor } from '../../core/index.js';
import { fieldAdder } from '../../util/literals.js';
import { fileName, lengthsProblems } from '../ml/model-options.js';
import { optionProblems, requireOptions } from '../options.js';
import { openTokenizer, type TextEncoder, type TokenizerOptions } from './tokenizer.js';

/** A text as language models take it: three tensors of one length. */
export interface EncodedTokens {
  readonly inputIds: Tensor<BigInt64Array>;
  /** 1 for each token of the text, 0 for what fills it up. */
  readonly attentionMask: Tensor<BigInt64Array>;
  /** Which text of a pair a token belongs to: 0, since there is one. */
  readonly tokenTypeIds: Tensor<BigInt64Array>;
}

/** Which text `encodeTokens` encodes, by which tokenizer, and how long results may be. */
export interface EncodeTokensOptions<T, As extends string> {
  /** The text. */
  readonly from: (value: T) => string | null | undefined;
  /** Name of the field that is added. */
  readonly as: As;
  /** The `tokenizer.json` of the model: a path (relative to the working directory) or a URL of a file. */
  readonly tokenizer: string | URL;
  /** Each text is padded to the shortest of these lengths that fits, or truncated to the last. In ascending order. */
  readonly lengths: readonly number[];
  /** Whether to add the special tokens of the model (default: yes). */
  readonly specialTokens?: boolean;
  /** The padding token (default: that of the file, or `[PAD]`, `<pad>`). */
  readonly padToken?: string;
  /** Characters (UTF-16 code units) read of a text at most (default: 100,000). */
  readonly charsMax?: number;
}

/**
 * Adds the token ids of a text for a language model, by the tokenizer of the model: WordPiece, BPE or Unigram.
 *
 *   "Late again"  ->  inputIds [101, 2397, 2153, 102, 0, 0, 0, 0], attentionMask [1, 1, 1, 1, 0, 0, 0, 0]     lengths [8, 16]
 *
 * Give `infer` the same `lengths`: texts with the same padded length share batches. The padding depends on the text only, so the output of
 * the model does too. With few lengths batches are fuller; with many less is padded. Powers of two are a good choice.
 *
 * It uses `@huggingface/tokenizers`, in JavaScript and without a download. Results are those of Python's `tokenizers`, except for
 * characters of newer versions of Unicode. With the same versions of Node and of the library a replay gives the same. Special tokens that
 * a text contains (`[SEP]`, `</s>`) are encoded as text; only `encodeTokens` adds them around it. A missing text has only these. A
 * sentence of twenty words takes some 50 microseconds.
 *
 * Counter: `cut` (truncated texts). Errors: `MillraceError('model')` when a task opens, if the file is not a tokenizer or has no padding
 * token. Memory: the vocabulary and 10,000 words, once per process, and 16 bytes per position of each record in flight.
 *
 * @example
 * reviews.via('tokens', encodeTokens({ from: (r) => r.body, as: 'tokens', tokenizer: 'models/tokenizer.json', lengths: [32, 64, 128] }));
 */
export function encodeTokens<T, const As extends string>(
  options: EncodeTokensOptions<T, As>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: EncodedTokens }>> {
  requireOptions('encodeTokens', options);
  const { from, as, tokenizer, lengths, specialTokens = true, padToken, charsMax = CHARS_MAX } = options;
  const open = once(tokenizer, { specialTokens, padToken });
  return {
    kind: 'encodeTokens',
    settings: {
      as,
      tokenizer: fileName(tokenizer),
      lengths: lengths.join(', '),
      specialTokens,
      ...(padToken !== undefined && { padToken }),
      charsMax,
    },
    problems: [...optionProblems('encodeTokens', options), ...problemsOf(lengths, charsMax)],
    shape: {
      shape: 'batched',
      async open(context) {
        const encoder = await open();
        const cut = context.counter('cut');
        const withTokens = fieldAdder(as);
        const rows = lengths.map(emptyRow);
        const tokensOf = (whole: string): EncodedTokens => {
          const text = whole.slice(0, charsMax);
          const { ids, isCut } = encoder.encode(text, lengths.at(-1) as number);
          if (isCut || text.length < whole.length) cut.add();
          return filled(ids, rows.find(({ length }) => length >= ids.length) as EmptyRow, encoder.padId);
        };
        return {
          async onBatch(values, origins) {
            return makeOfEach(context.step, values, origins, (value) =>
              withTokens(value, tokensOf(from(value as T) ?? '')),
            );
          },
        };
      },
    },
  };
}

const CHARS_MAX = 100_000;

/** The tokenizer of a step, read by the first task and shared by the others: it may be large, and does not change. */
function once(file: string | URL, options: TokenizerOptions): () => Promise<TextEncoder> {
  let opened: Promise<TextEncoder> | undefined;
  return () => {
    opened ??= openTokenizer(file, options);
    opened.catch(() => {
      opened = undefined; // the next task may find the file
    });
    return opened;
  };
}

/** What all rows of one length have in common. */
interface EmptyRow {
  readonly length: number;
  readonly shape: readonly number[];
  readonly zeros: Tensor<BigInt64Array>;
}

const emptyRow = (length: number): EmptyRow => {
  const shape = [length];
  return { length, shape, zeros: { shape, data: new BigInt64Array(length) } };
};

function filled(ids: readonly number[], { length, shape, zeros }: EmptyRow, padId: number): EncodedTokens {
  const inputIds = new BigInt64Array(length).fill(BigInt(padId), ids.length);
  for (let i = 0; i < ids.length; i++) inputIds[i] = BigInt(ids[i] as number);
  const attentionMask = new BigInt64Array(length).fill(1n, 0, ids.length);
  return { inputIds: { shape, data: inputIds }, attentionMask: { shape, data: attentionMask }, tokenTypeIds: zeros };
}

function problemsOf(lengths: readonly number[], charsMax: number): Problem[] {
  const problems = [...lengthsProblems(lengths)];
  if (!(charsMax >= 1)) problems.push({ message: `charsMax is ${charsMax}`, hint: 'give it a positive number' });
  return problems;
}
