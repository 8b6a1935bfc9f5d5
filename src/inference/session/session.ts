import type * as Onnx from 'onnxruntime-node';
import { MillraceError, type ModelInput, providerName, type TensorData, type TensorSpec } from '../../core/index.js';
import { measuredSizes, type Point } from '../scheduling/latency-curve.js';
import { type Layout, layoutOf, viewsOf } from '../scheduling/layout.js';
import type { Ask, KnownModel, Scored, Values } from '../workers/protocol.js';
import { createSession, type ModelSource } from './model-source.js';
import { loadOnnx } from './onnx-runtime.js';
import { measuredSize, padded } from './padding.js';
import { proveProvider } from './provider-proof.js';
import { noCeiling, scoreRows, whatRuntimeSays } from './recovery.js';
import { inRunsOf, measureRuns } from './run-size.js';
import { runnerOf } from './runner.js';
import { areOtherAlone, checkBatchInvariance, noLengths, warmUpViews } from './warm-up.js';

/** A model on a provider, warmed up. */
export interface Session {
  readonly provider: string;
  readonly inputs: readonly ModelInput[];
  /** The possible lengths of the varying axis; a row of the first length is in length bucket 0. */
  readonly lengths: readonly number[];
  readonly outputSize: number;
  /** What the warm-up has found: what runs take, up to the size that is the fastest, a row. */
  known(): KnownModel;
  /** Scores the first `rows` rows of a batch of one length bucket, laid out for `rowsMax`. */
  score(batch: RowsOfBucket): Promise<Scored>;
  /**
   * Runs every size up to `batchMax` in each length bucket, and finds the one that is the fastest, a row: batches are run in parts of
   * that size from then on. On the CPU it checks that the size does not matter. What is `known` is neither checked nor measured again.
   */
  warmUp(batchMax: number, known?: KnownModel): Promise<void>;
  release(): Promise<void>;
}

export type RowsOfBucket = Pick<Ask<'run'>, 'input' | 'texts' | 'bucket' | 'rows' | 'rowsMax'>;

/**
 * Loads a model on one provider and checks that it runs there.
 *
 * Throws `MillraceError('model')` for a model that no provider accepts, and a plain error if this provider does not work but
 * another may.
 */
export async function openSession(model: ModelSource, declared: Ask<'load'>['providers'][number]): Promise<Session> {
  const onnx = await loadOnnx();
  const { name, shareMin, ...rest } = typeof declared === 'string' ? { name: declared } : { shareMin: 0, ...declared };
  const known = onnx.listSupportedBackends().map(({ name }) => name);
  if (!known.includes(name)) throw new Error(`not part of this onnxruntime-node (it has ${known.join(', ')})`);
  // One intra-op thread: with more, the last bits of tree ensembles depend on the batch size, and p99 suffers.
  const options: Onnx.InferenceSession.SessionOptions = {
    executionProviders: [{ name, ...rest }],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  };
  if (name !== 'cpu') await proveProvider(onnx, model, { name, shareMin }, options);
  const native = await createSession(onnx, model, options);
  try {
    return await describe(onnx, native, providerName(declared), model.tensors);
  } catch (error) {
    await native.release();
    throw error;
  }
}

async function describe(
  onnx: typeof Onnx,
  native: Onnx.InferenceSession,
  provider: string,
  spec: TensorSpec | undefined,
): Promise<Session> {
  const { inputs, run: runAsGiven } = runnerOf(onnx, native, spec);
  /** The most rows that every length bucket was run with. */
  let warmRows = 1;
  let inPairs = false;
  const sizeOf = (rows: number) => (rows === 1 && inPairs ? 2 : rows);
  const run = padded(runAsGiven, provider === 'cpu' ? sizeOf : (rows) => measuredSize(rows, warmRows));
  const lengths = spec?.lengths ?? noLengths;
  const buckets = lengths.map((length) => {
    const probe = layoutOf(inputs, length, 1);
    const curve: readonly Point[] = [];
    return { length, ceiling: noCeiling(), curve, probe: () => run(probe, warmUpViews(probe), 0, 1) };
  });

  const sizes: number[] = [];
  for (const { probe } of buckets) sizes.push((await probe()).scores.length);
  const [outputSize = 0, other] = new Set(sizes);
  if (other !== undefined) throw variesInSize(sizes);

  function scoreBucket(bucket: number, layout: Layout, views: readonly TensorData[], first: number, rows: number) {
    const { ceiling, curve, probe } = buckets[bucket] as (typeof buckets)[number];
    const part = async (from: number, count: number) => {
      const values = await run(layout, views, first + from, count);
      // A width that follows from the data would give rows the numbers of others.
      if (values.scores.length === count * outputSize) return values;
      throw new Error(`the model gives ${values.scores.length} numbers for ${count} rows, not ${outputSize} for each`);
    };
    const runRows = curve.at(-1)?.rows ?? rows;
    return scoreRows({ rows, outputSize, ceiling, run: inRunsOf(runRows, outputSize, part), probe });
  }

  async function someAreOtherAlone(): Promise<boolean> {
    for (const length of lengths)
      if (await areOtherAlone(runAsGiven, (rows) => layoutOf(inputs, length, rows))) return true;
    return false;
  }

  async function warmUpBucket(
    bucket: number,
    length: number,
    batchMax: number,
    known: KnownModel | undefined,
  ): Promise<void> {
    const own = buckets[bucket] as (typeof buckets)[number];
    own.curve = [];
    const layout = layoutOf(inputs, length, batchMax);
    const views = warmUpViews(layout);
    const scoreAll = async (from: number, rows: number): Promise<Values> => {
      const { failures, ...values } = await scoreBucket(bucket, layout, views, from, rows);
      const [failure] = failures;
      if (failure === undefined) return values;
      throw new MillraceError('model', `the model fails on a warm-up row of numbers between 0 and 1: ${failure[1]}`, {
        hint: "check that the model takes its inputs as plain numbers, and texts that it does not know, such as '1'",
      });
    };
    if (provider === 'cpu' && known !== undefined) await scoreAll(0, batchMax);
    else if (provider === 'cpu') await checkBatchInvariance(scoreAll, outputSize, batchMax);
    else for (const rows of measuredSizes(batchMax)) await scoreAll(0, rows);
    own.curve = known?.curves[bucket] ?? (await measureRuns(scoreAll, batchMax));
  }

  return {
    provider,
    inputs,
    lengths,
    outputSize,
    known: () => ({ curves: buckets.map(({ curve }) => curve), inPairs }),
    score({ input, texts, bucket, rows, rowsMax }) {
      const layout = layoutOf(inputs, lengths[bucket] as number, rowsMax);
      return scoreBucket(bucket, layout, viewsOf(layout, input, texts), 0, rows);
    },
    async warmUp(batchMax, known) {
      if (provider === 'cpu') inPairs = known?.inPairs ?? (await someAreOtherAlone());
      for (const [bucket, length] of lengths.entries()) await warmUpBucket(bucket, length, batchMax, known);
      warmRows = Math.max(warmRows, batchMax);
    },
    release: () => native.release(),
  };
}

const variesInSize = (sizes: readonly number[]) =>
  new MillraceError(
    'model',
    `the model gives ${sizes.join(', ')} numbers for rows of its lengths, not always as many`,
    {
      hint: "make one vector of the vectors of a row's positions: pooling: 'first', or { mean: 'attention_mask' }",
    },
  );

/** The text of a refusal. */
export const refusal = (provider: string, error: unknown): string => `${provider}: ${whatRuntimeSays(error)}`;
