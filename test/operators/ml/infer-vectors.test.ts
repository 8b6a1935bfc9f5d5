import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import {
  type BatchedLogic,
  type InferenceService,
  inferenceService,
  millis,
  type Origin,
  provide,
  type Source,
  type StepContext,
  serviceRegistry,
  type Tensor,
} from '../../../src/core/index.js';
import { createInference } from '../../../src/inference/index.js';
import { infer } from '../../../src/operators/ml/infer.js';
import type { InferredVector } from '../../../src/operators/ml/infer-vectors.js';
import { type Stream, topology } from '../../../src/topology/topology.js';
import { type Golden, type GoldenText, goldenImage } from '../../golden/embeddings.js';

const golden = JSON.parse(readFileSync(new URL('../../golden/embeddings.json', import.meta.url), 'utf8')) as Golden;
const modelFile = (name: string) => new URL(`../../inference/models/${name}.onnx`, import.meta.url);
const context = { step: 'embedding' } as StepContext;
const limits = { as: 'embedding', batchMax: 4, waitMax: millis(1), providers: ['cpu'] } as const;

interface Text {
  readonly ids: Tensor;
  readonly mask: Tensor;
}
const int64 = (numbers: readonly number[]): Tensor<BigInt64Array> => ({
  shape: [numbers.length],
  data: BigInt64Array.from(numbers, BigInt),
});
const textOf = ({ ids, tokens }: GoldenText): Text => ({
  ids: int64(ids),
  mask: int64(ids.map((_, at) => (at < tokens ? 1 : 0))),
});
const sentences = (options: object = {}) =>
  infer({
    ...limits,
    model: modelFile('tiny-encoder'),
    inputs: { input_ids: (t: Text) => t.ids, attention_mask: (t: Text) => t.mask },
    lengths: [16, 32],
    pooling: { mean: 'attention_mask' },
    normalize: true,
    ...options,
  });
/** Of the records of a call. */
const origins = [7, 8].map((offset) => ({ topic: 'images', partition: 3, offset }) as Origin);
const byIds = (options: object = {}) =>
  infer({
    ...limits,
    model: modelFile('token-table'),
    inputs: { input_ids: (t: Text) => t.ids },
    lengths: [2, 3],
    pooling: 'first',
    ...options,
  });

let inference: InferenceService;
beforeAll(() => {
  inference = createInference();
});
afterAll(() => inference.close());

const opened = (operator: { readonly shape: unknown }): Promise<BatchedLogic> =>
  (operator.shape as { open(...given: unknown[]): Promise<BatchedLogic> }).open(
    context,
    serviceRegistry([provide(inferenceService, inference)]),
  );
async function answersOf(logic: BatchedLogic, values: readonly unknown[]) {
  const answers = logic.onBatch(values, []);
  logic.flush?.();
  return (await answers) as readonly { readonly embedding: InferredVector }[];
}

describe('infer of named tensors', () => {
  test('embeds texts as Python’s onnxruntime does, whatever their lengths', async () => {
    const logic = await opened(sentences());
    const texts = golden.texts.flatMap((text) => [text['word-piece'], text.bpe]);
    const answers = await answersOf(logic, texts.map(textOf));
    for (const [i, { embedding }] of answers.entries()) {
      const expected = texts[i]?.embedding ?? [];
      expect(embedding).toMatchObject({ model: expect.stringMatching(/^[0-9a-f]{64}$/), degraded: null });
      expect(embedding.vector).toHaveLength(32);
      for (const [at, number] of embedding.vector.entries()) expect(number).toBeCloseTo(expected[at] as number, 5);
    }
  });

  test('embeds images as Python’s onnxruntime does', async () => {
    const inputs = { pixels: (image: Tensor) => image };
    const logic = await opened(infer({ ...limits, model: modelFile('tiny-cnn'), inputs }));
    const answers = await answersOf(
      logic,
      golden.images.map(({ seed }) => goldenImage(seed)),
    );
    for (const [i, { embedding }] of answers.entries()) {
      const expected = golden.images[i]?.features ?? [];
      expect(embedding.vector).toHaveLength(16);
      for (const [at, number] of embedding.vector.entries()) expect(number).toBeCloseTo(expected[at] as number, 4);
    }
  });

  test('gives a text the same bits alone and in any company', async () => {
    const logic = await opened(sentences());
    const texts = golden.texts.flatMap((text) => [textOf(text['word-piece']), textOf(text.bpe)]);
    const together = await answersOf(logic, texts);
    for (const [i, text] of texts.entries()) {
      const [alone] = await answersOf(logic, [text]);
      expect(alone?.embedding.vector).toEqual(together[i]?.embedding.vector);
    }
    const backwards = await answersOf(logic, [...texts, ...texts].reverse());
    for (const [i, { embedding }] of [...backwards].reverse().entries())
      expect(embedding.vector).toEqual(together[i % texts.length]?.embedding.vector);
  });

  test('refuses a model whose vectors depend on the batch, in any of its lengths', async () => {
    const operator = byIds({ model: modelFile('token-mean'), pooling: { mean: 'input_ids' } });
    await expect(opened(operator)).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('depends on the batch'),
    });
  });

  test('takes bytes', async () => {
    const inputs = { bytes: (data: Uint8Array) => ({ shape: [4], data }) };
    const logic = await opened(infer({ ...limits, model: modelFile('bytes-mean'), inputs }));
    const values = Array.from({ length: 10 }, (_, i) => Uint8Array.of(i, i, i, i + 4));
    const answers = await answersOf(
      logic,
      values.map((value) => Object.assign(value)),
    );
    expect(answers.map(({ embedding }) => embedding.vector[0])).toEqual(values.map((_, i) => i + 1));
  });

  test('sends a row that the model cannot take to the dead letters, and answers the rest of its batch', async () => {
    const logic = await opened(byIds());
    const ids = [[1, 2], [3, 99], [5, 6, 7], [1], [99, 0, 0], [7, 0]];
    const answers = await answersOf(
      logic,
      ids.map((numbers) => ({ ids: int64(numbers) })),
    );
    expect(answers.map((answer) => (answer.embedding ? [...answer.embedding.vector] : answer))).toEqual([
      [2, 3],
      { reason: 'inference', detail: expect.stringContaining('out of data bounds') },
      [10, 11],
      { reason: 'inference', detail: 'the length is 1, not one of 2, 3' },
      { reason: 'inference', detail: expect.stringContaining('out of data bounds') },
      [14, 15],
    ]);
  });

  test('answers nothing where no row can be taken', async () => {
    const answers = await answersOf(await opened(byIds()), [{ ids: int64([1]) }]);
    expect(answers).toMatchObject([{ reason: 'inference' }]);
  });

  test('sends vectors that hold no number to the dead letters', async () => {
    const inputs = { pixels: (image: Tensor) => image };
    const logic = await opened(infer({ ...limits, model: modelFile('tiny-cnn'), inputs }));
    const image = goldenImage(1);
    image.data[7] = Number.POSITIVE_INFINITY;
    const answers = await answersOf(logic, [goldenImage(0), image]);
    expect(answers[0]).toHaveProperty('embedding');
    expect(answers[1]).toEqual({
      reason: 'inference',
      detail: expect.stringMatching(/^the vector holds (NaN|-?Infinity)$/),
    });
  });

  test.each<[string, unknown, string]>([
    ['another order of axes', { shape: [1, 2], data: BigInt64Array.of(1n, 2n) }, 'int64 [1, 2] of 2 values'],
    ['numbers that are missing', { shape: [3], data: BigInt64Array.of(1n, 2n) }, 'int64 [3] of 2 values'],
    ['no numbers', { shape: [2], data: undefined }, 'nothing'],
    ['no tensor', undefined, 'nothing'],
    ['null', null, 'nothing'],
  ])('sends a record with %s to the dead letters, and answers the others', async (_, ids, given) => {
    const answers = await answersOf(await opened(byIds()), [{ ids: int64([2, 3]) }, { ids }, { ids: int64([2, 3]) }]);
    const detail = `the input 'input_ids' takes int64 [length], not ${given}`;
    expect(answers[1]).toEqual({ reason: 'inference', detail });
    expect(answers[0]?.embedding?.vector).toHaveLength(2);
    expect(answers[2]).toEqual(answers[0]);
  });

  test.each<[string, Tensor, RegExp]>([
    [
      'of another type',
      { shape: [2], data: Int32Array.of(1, 2) },
      /takes int64 \[length\], not int32 \[2\] of 2 values/,
    ],
    ['that is a plain array', { shape: [1], data: [1] as never }, /not another array \[1\] of 1 values/],
    [
      'without a shape',
      { data: BigInt64Array.of(2n) } as never,
      /'input_ids' takes a tensor, not a value of type object/,
    ],
    ['that is an array', BigInt64Array.of(2n, 3n) as never, /'input_ids' takes a tensor, not an array/],
  ])('stops on a tensor %s, and says at which record', async (_, ids, message) => {
    const logic = await opened(byIds());
    await expect(logic.onBatch([{ ids: int64([2, 3]) }, { ids }], origins)).rejects.toMatchObject({
      code: 'model',
      where: 'embedding',
      message: expect.stringMatching(new RegExp(`${message.source} at images\\[3\\]@8$`)),
      hint: expect.stringContaining('Float32Array'),
    });
  });

  test.each<[string, object]>([
    ['makes a tensor', { inputs: { input_ids: (t: Text) => ({ ...t.ids, shape: [...t.ids.shape] }) } }],
    ['tells the tier', { tier: (t: Text) => (t.ids.data.length > 0 ? 'high' : 'low') }],
    ['tells the deadline', { deadline: (t: Text) => t.ids.data.length }],
  ])('says at which record a function threw that %s', async (_, options) => {
    const logic = await opened(byIds({ inputs: { input_ids: (t: Text) => t?.ids ?? int64([2, 3]) }, ...options }));
    await expect(logic.onBatch([{ ids: int64([2, 3]) }, undefined], origins)).rejects.toMatchObject({
      code: 'step',
      where: 'embedding',
      message: expect.stringMatching(/^the step threw: Cannot read properties of undefined .* at images\[3\]@8$/),
    });
  });

  test.each<[string, object, string]>([
    ['a tier', { tier: () => 'urgent' }, "there is no tier 'urgent', only high, normal, low"],
    ['a deadline', { deadline: () => Number.NaN }, 'the deadline is NaN, not a duration such as millis(50)'],
    ['a text as deadline', { deadline: () => '50ms' }, "the deadline is '50ms', not a duration such as millis(50)"],
  ])('says at which record a function gave %s that is none', async (_, options, message) => {
    const logic = await opened(byIds(options));
    const told = { code: 'step', where: 'embedding', message: `the step threw: ${message} at images[3]@7` };
    await expect(logic.onBatch([{ ids: int64([2, 3]) }], origins)).rejects.toMatchObject(told);
  });

  test('refuses lengths that give vectors of several sizes', async () => {
    const inputs = { input_ids: (t: Text) => t.ids };
    const operator = infer({ ...limits, model: modelFile('token-table'), inputs, lengths: [2, 3] });
    await expect(opened(operator)).rejects.toMatchObject({
      message: 'the model gives 4, 6 numbers for rows of its lengths, not always as many',
      hint: expect.stringContaining('pooling'),
    });
  });

  test('describes itself, and finds its own mistakes before it runs', () => {
    expect(sentences().settings).toEqual({
      model: 'tiny-encoder.onnx',
      as: 'embedding',
      batchMax: 4,
      waitMax: 1,
      providers: 'cpu',
      inputs: 'input_ids, attention_mask',
      lengths: '16, 32',
      pooling: 'mean by attention_mask',
      normalize: true,
    });
    expect(sentences().problems).toEqual([]);
    expect(sentences({ lengths: [32, 16], batchMax: 0, inputs: {} }).problems?.map(({ message }) => message)).toEqual([
      'batchMax is 0',
      'lengths are 32, 16',
      'no inputs',
    ]);
    const ofScores = {
      view: { name: 'v', shape: { denseSize: 2, hashedSize: 0 } },
      cascade: { model: 'small.onnx', below: 0.1, above: 0.9 },
      fallback: [{ name: 'prior', rule: () => 0.1 }],
    };
    expect(sentences(ofScores).problems).toEqual([
      { message: 'view does nothing beside inputs', hint: 'leave view out' },
      { message: 'cascade does nothing beside inputs', hint: 'leave cascade out' },
      {
        message: 'a rule or a last score answers one score only',
        hint: 'give another `model`, or other `providers`',
      },
    ]);
  });
});

declare const source: Source<{ readonly id: string; readonly pixels: Tensor<Float32Array> }>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters: undefined as never }, (t) => {
    const photos = t.source('photos', source);
    const model = 'm.onnx';
    const embedded = photos.via('embedding', infer({ ...limits, model, inputs: { pixels: (p) => p.pixels } }));
    expectTypeOf(embedded).toExtend<Stream<{ readonly id: string; readonly embedding: InferredVector }>>();
    // @ts-expect-error the name is taken
    embedded.via('again', infer({ ...limits, model, inputs: { pixels: (p) => p.pixels } }));
    // @ts-expect-error no such field
    photos.via('wrong', infer({ ...limits, model, inputs: { pixels: (p) => p.image } }));
    // @ts-expect-error no such input to go by
    photos.via('mask', infer({ ...limits, model, inputs: { pixels: (p) => p.pixels }, pooling: { mean: 'mask' } }));
    // @ts-expect-error without inputs it takes features, which are not there
    photos.via('score', infer({ ...limits, model }));
  });

test('types flow through infer of tensors', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
