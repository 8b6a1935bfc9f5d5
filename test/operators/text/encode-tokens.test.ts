import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest';
import { type BatchedLogic, MillraceError, type Source, type StepContext } from '../../../src/core/index.js';
import {
  type EncodedTokens,
  type EncodeTokensOptions,
  encodeTokens,
} from '../../../src/operators/text/encode-tokens.js';
import { type Stream, topology } from '../../../src/topology/topology.js';
import { type Golden, numbersOf } from '../../golden/embeddings.js';

const file = (name: string) => new URL(`./tokenizers/${name}.json`, import.meta.url);
const { texts } = JSON.parse(readFileSync(new URL('../../golden/embeddings.json', import.meta.url), 'utf8')) as Golden;
const lengths = [16, 32];

interface Review {
  readonly body: string | null;
}
const options = { from: (r: Review) => r.body, as: 'tokens', tokenizer: file('word-piece'), lengths } as const;

let cut = 0;
const context: StepContext = {
  topology: 'reviews',
  step: 'tokens',
  task: 0,
  watermarkMs: 0,
  counter: () => ({
    add: (by = 1) => {
      cut += by;
    },
  }),
  measure: () => {},
  deadLetter: () => {},
  fail: (message) => {
    throw new Error(message);
  },
};

async function opened(changes: Partial<EncodeTokensOptions<Review, 'tokens'>> = {}): Promise<BatchedLogic> {
  const { shape } = encodeTokens({ ...options, ...changes });
  if (shape.shape !== 'batched') throw new Error('encodeTokens is a batched operator');
  cut = 0;
  return await shape.open(context, {} as never);
}

async function tokensOf(logic: BatchedLogic, ...bodies: readonly (string | null)[]): Promise<EncodedTokens[]> {
  const answers = await logic.onBatch(
    bodies.map((body) => ({ body })),
    [],
  );
  return answers.map((answer) => (answer as { readonly tokens: EncodedTokens }).tokens);
}

describe('encodeTokens', () => {
  test.each(['word-piece', 'bpe'] as const)(
    '%s: gives the ids and masks that Python’s tokenizers give',
    async (name) => {
      const logic = await opened({ tokenizer: file(name) });
      const tokens = await tokensOf(logic, ...texts.map(({ text }) => text));
      for (const [i, { inputIds, attentionMask, tokenTypeIds }] of tokens.entries()) {
        const expected = texts[i]?.[name];
        expect(numbersOf(inputIds)).toEqual(expected?.ids);
        expect(numbersOf(attentionMask)).toEqual(expected?.ids.map((_, at) => (at < expected.tokens ? 1 : 0)));
        expect(numbersOf(tokenTypeIds)).toEqual(expected?.ids.map(() => 0));
        expect(inputIds.shape).toEqual([expected?.ids.length]);
      }
      expect(new Set(tokens.map(({ inputIds }) => inputIds.shape[0]))).toEqual(new Set(lengths));
    },
  );

  test('fills a text up to the shortest length that holds it, cuts what is longer than the last, and counts that', async () => {
    const logic = await opened({ lengths: [3, 5] });
    const [one, four, many] = await tokensOf(logic, 'late', 'late late late', 'late '.repeat(9));
    expect(numbersOf(one?.attentionMask)).toEqual([1, 1, 1]);
    expect(numbersOf(four?.attentionMask)).toEqual([1, 1, 1, 1, 1]);
    expect(numbersOf(many?.inputIds)).toEqual(numbersOf(four?.inputIds));
    expect(cut).toBe(1);
  });

  describe('a special token that a text spells is text', () => {
    const unigram = {
      added_tokens: [
        { id: 0, content: '<unk>', special: true },
        { id: 1, content: '</s>', special: true },
      ],
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
        pair: [],
        special_tokens: { '</s>': { id: '</s>', ids: [1], tokens: ['</s>'] } },
      },
      decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      normalizer: null,
      model: {
        type: 'Unigram',
        unk_id: 0,
        vocab: [
          ['<unk>', 0],
          ['</s>', 0],
          ['▁late', -1],
          ...['▁', '<', '/', 's', '>', 'a'].map((piece) => [piece, -3]),
        ],
      },
    };
    const folder = mkdtempSync(join(tmpdir(), 'millrace-tokens-'));
    const unigramFile = join(folder, 'tokenizer.json');
    writeFileSync(unigramFile, JSON.stringify(unigram));
    afterAll(() => rmSync(folder, { recursive: true }));

    test.each([
      ['WordPiece', file('word-piece'), '[PAD]', [0, 2, 3], 'late [SEP] [CLS] again[PAD]'],
      ['BPE', file('bpe'), '<pad>', [0, 1, 2], '<s>late</s><pad> again'],
      ['Unigram', unigramFile, '</s>', [1], 'late</s> late'],
    ])('%s', async (_name, tokenizer, padToken, special, body) => {
      const logic = await opened({ tokenizer, padToken });
      const [plain, spelled] = await tokensOf(logic, 'late', body);
      const inside = ({ inputIds, attentionMask }: EncodedTokens) =>
        numbersOf(inputIds).filter((id, at) => numbersOf(attentionMask)[at] === 1 && special.includes(id));
      expect(inside(spelled as EncodedTokens)).toEqual(inside(plain as EncodedTokens));
    });
  });

  test('takes a missing text for an empty one', async () => {
    const logic = await opened();
    const [missing, empty] = await tokensOf(logic, null, '');
    expect(missing).toEqual(empty);
    expect(numbersOf(missing?.attentionMask).filter((mask) => mask === 1)).toHaveLength(2);
  });

  test('leaves the tokens around a text away where the model knows none', async () => {
    const [bare] = await tokensOf(await opened({ specialTokens: false }), 'late');
    const [whole] = await tokensOf(await opened(), 'late');
    expect(numbersOf(bare?.inputIds).slice(0, 1)).toEqual(numbersOf(whole?.inputIds).slice(1, 2));
  });

  test('reads no more of a text than it may', async () => {
    const logic = await opened({ charsMax: 4 });
    const [short, long] = await tokensOf(logic, 'late', 'late again');
    expect(long).toEqual(short);
    expect(cut).toBe(1);
  });

  test('is read again by the next task where the file was not there', async () => {
    const { shape } = encodeTokens({ ...options, tokenizer: 'no/such/tokenizer.json' });
    if (shape.shape !== 'batched') throw new Error('encodeTokens is a batched operator');
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(shape.open(context, {} as never)).rejects.toMatchObject({
        code: 'model',
        message: 'the tokenizer no/such/tokenizer.json cannot be read',
      });
    }
  });

  test('refuses what is no tokenizer, and one without a token to fill up with', async () => {
    await expect(
      opened({ tokenizer: new URL('../../golden/embeddings.json', import.meta.url) }),
    ).rejects.toBeInstanceOf(MillraceError);
    await expect(opened({ padToken: '[NONE]' })).rejects.toMatchObject({
      message: 'the tokenizer has no padding token [NONE]',
    });
  });

  test('finds its own mistakes before it runs, and describes itself', () => {
    expect(encodeTokens(options).problems).toEqual([]);
    for (const wrong of [[], [32, 16], [1.5], [0]])
      expect(encodeTokens({ ...options, lengths: wrong }).problems).toHaveLength(1);
    expect(encodeTokens({ ...options, charsMax: 0 }).problems).toHaveLength(1);
    expect(encodeTokens(options).settings).toEqual({
      as: 'tokens',
      tokenizer: 'word-piece.json',
      lengths: '16, 32',
      specialTokens: true,
      charsMax: 100_000,
    });
  });
});

declare const source: Source<{ readonly body: string }>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters: undefined as never }, (t) => {
    const reviews = t.source('reviews', source);
    const tokens = reviews.via(
      'tokens',
      encodeTokens({ from: (r) => r.body, as: 'tokens', tokenizer: 't.json', lengths }),
    );
    expectTypeOf(tokens).toExtend<Stream<{ readonly body: string; readonly tokens: EncodedTokens }>>();
    // @ts-expect-error the name is taken
    tokens.via('again', encodeTokens({ from: (r) => r.body, as: 'tokens', tokenizer: 't.json', lengths }));
    // @ts-expect-error no such field
    reviews.via('wrong', encodeTokens({ from: (r) => r.title, as: 'tokens', tokenizer: 't.json', lengths }));
  });

test('types flow through encodeTokens', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
