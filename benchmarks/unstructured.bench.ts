/**
 * What do steps cost on top of the libraries that decode images, cut texts into tokens and run models?
 *
 * `decodeImage` against `sharp`, `encodeTokens` against `@huggingface/tokenizers`, `infer` of tensors against `onnxruntime-node`: the same
 * files, texts and models, the same limits. The model is tiny, so what shows is the cost of a row, not the model's; `infer` also
 * pools and normalizes, and runs the model in a thread of its own, where another core takes it off the one that asks.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import sharp from 'sharp';
import {
  type BatchedLogic,
  inferenceService,
  millis,
  provide,
  type Shape,
  type StepContext,
  serviceRegistry,
} from '../src/core/index.js';
import { createInference } from '../src/inference/index.js';
import { decodeImage, type EncodedTokens, encodeTokens, infer } from '../src/operators/index.js';
import type { Benchmark } from './benchmark.js';
import { type Contestant, measurePairs, type Pairs } from './pairs.js';

export const options = { images: 200, texts: 20_000, rows: 20_000 };

const test = (file: string) => new URL(`../test/${file}`, import.meta.url);
const model = test('inference/models/tiny-encoder.onnx');
const tokenizer = test('operators/text/tokenizers/word-piece.json');
const LENGTH = 32;
const SIZE = 224;
const BATCH = 32;
/** Records of one call: what a round has. */
const ROUND = 1_000;

interface Photo {
  readonly file: Buffer;
}
interface Text {
  readonly text: string;
}
interface Row {
  readonly tokens: EncodedTokens;
}

export const benchmark: Benchmark<typeof options> = async (progress, { images, texts, rows }) => {
  const inference = createInference();
  const opened = (shape: Shape): Promise<BatchedLogic> => {
    const context = { step: 'measured', counter: () => ({ add: () => {} }) } as unknown as StepContext;
    return (shape as Extract<Shape, { shape: 'batched' }>).open(context, {
      ...serviceRegistry([provide(inferenceService, inference)]),
      progress: () => {},
    });
  };
  const through = (name: string, logic: BatchedLogic, values: readonly unknown[]): Contestant => ({
    name,
    async work() {
      for (let from = 0; from < values.length; from += ROUND) await logic.onBatch(values.slice(from, from + ROUND), []);
      return values.length;
    },
  });
  try {
    const photos = new Array<Photo>(images).fill({ file: await photo() });
    const decoding = { from: ({ file }: Photo) => file, as: 'pixels', width: SIZE, height: SIZE } as const;
    const image = await measurePairs(
      [
        { name: 'sharp', work: () => bySharp(photos) },
        through('decodeImage', await opened(decodeImage(decoding).shape), photos),
      ],
      {},
      progress,
    );

    const sentences = Array.from(
      { length: texts },
      (_, i): Text => ({ text: `Flight ${i} to gate ${i % 40} is late again, please walk.` }),
    );
    const encoding = { from: ({ text }: Text) => text, as: 'tokens', tokenizer, lengths: [LENGTH] } as const;
    const encoder = await opened(encodeTokens(encoding).shape);
    const text = await measurePairs(
      [{ name: 'tokenizer', work: byTokenizer(sentences) }, through('encodeTokens', encoder, sentences)],
      {},
      progress,
    );

    const encoded = (await encoder.onBatch(sentences.slice(0, rows), [])) as readonly Row[];
    const logic = await opened(
      infer({
        model,
        as: 'vector',
        inputs: {
          input_ids: ({ tokens }: Row) => tokens.inputIds,
          attention_mask: ({ tokens }: Row) => tokens.attentionMask,
        },
        lengths: [LENGTH],
        pooling: { mean: 'attention_mask' },
        normalize: true,
        batchMax: BATCH,
        waitMax: millis(5),
        providers: ['cpu'],
      }).shape,
    );
    const vector = await measurePairs(
      [{ name: 'onnxruntime', work: await byOnnx(encoded) }, through('infer', logic, encoded)],
      {},
      progress,
    );
    return {
      unit: 'records/s',
      figures: { ...image.rates, ...text.rates, ...vector.rates },
      ratios: {
        'decodeImage through sharp': image.ratio,
        'encodeTokens through its tokenizer': text.ratio,
        'infer through onnxruntime': vector.ratio,
      } satisfies Record<string, Pairs['ratio']>,
    };
  } finally {
    await inference.close();
  }
};

/** A JPEG of 640 by 480 with edges and noise, so that it is as much work as a photo. */
function photo(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width: 640, height: 480, channels: 3, background: '#888', noise } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** As many at a time as the step has; bytes to floats by hand. */
async function bySharp(photos: readonly Photo[]): Promise<number> {
  const waiting = photos.values();
  const work = async () => {
    for (const { file } of waiting) {
      const bytes = await sharp(file).resize(SIZE, SIZE).raw().toBuffer();
      Float32Array.from(bytes);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  return photos.length;
}

function byTokenizer(sentences: readonly Text[]): () => number {
  const library = new Tokenizer(JSON.parse(readFileSync(tokenizer, 'utf8')), {});
  return () => {
    for (const { text } of sentences) library.encode(text);
    return sentences.length;
  };
}

/** Full batches in the thread that asks; nothing is done with what comes back. */
async function byOnnx(rows: readonly Row[]): Promise<() => Promise<number>> {
  const session = await InferenceSession.create(fileURLToPath(model), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return async () => {
    for (let from = 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      const stacked = (of: (row: Row) => BigInt64Array) => {
        const data = new BigInt64Array(batch.length * LENGTH);
        for (const [i, row] of batch.entries()) data.set(of(row), i * LENGTH);
        return data;
      };
      const dims = [batch.length, LENGTH];
      await session.run({
        input_ids: new OnnxTensor(
          'int64',
          stacked(({ tokens }) => tokens.inputIds.data),
          dims,
        ),
        attention_mask: new OnnxTensor(
          'int64',
          stacked(({ tokens }) => tokens.attentionMask.data),
          dims,
        ),
      });
    }
    return rows.length;
  };
}
