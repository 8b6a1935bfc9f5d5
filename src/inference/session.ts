import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Onnx from 'onnxruntime-node';
import { MillraceError, messageOf } from '../core/index.js';
import { chooseTensors, type ModelTensors } from './metadata.js';
import { loadOnnx } from './onnx.js';
import type { Ask, RunAnswer } from './protocol.js';
import { profileShows } from './providers.js';
import { noCeiling, scoreRows } from './recovery.js';
import { checkBatchInvariance, warmUpRows, warmUpSizes } from './warm-up.js';

/** A model on a provider, warmed up. */
export interface Session {
  readonly provider: string;
  readonly inputSize: number;
  readonly outputSize: number;
  /** Scores the first `rows` rows of `input`. */
  score(input: Float32Array, rows: number): Promise<Omit<RunAnswer, 'input'>>;
  /** Runs every size up to `batchMax` once; on the CPU it proves that the size does not matter. */
  warmUp(batchMax: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Loads a model on one provider and proves that it runs there.
 *
 * Throws `MillraceError('model')` for a model that no provider would take, and a plain error where this provider does
 * not work here and another one may.
 */
export async function openSession(model: Ask<'load'>, provider: string): Promise<Session> {
  const onnx = await loadOnnx();
  const known = onnx.listSupportedBackends().map(({ name }) => name);
  if (!known.includes(provider)) throw new Error(`not part of this onnxruntime-node (it has ${known.join(', ')})`);
  // One intra-op thread: with more, the last bits of tree ensembles depend on the batch size, and p99 suffers.
  const options: Onnx.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  };
  if (provider !== 'cpu') await proveProvider(model, provider, options);
  const native = await onnx.InferenceSession.create(model.bytes, options);
  try {
    return await describe(onnx, native, provider);
  } catch (error) {
    await native.release();
    throw error;
  }
}

async function describe(onnx: typeof Onnx, native: Onnx.InferenceSession, provider: string): Promise<Session> {
  const tensors = chooseTensors(native.inputMetadata, native.outputMetadata);
  const { inputSize } = tensors;
  const ceiling = noCeiling();
  const run = (input: Float32Array, rows: number) => runOnce(onnx, native, tensors, input, rows);

  const probeRow = warmUpRows(1, inputSize);
  const outputSize = (await run(probeRow, 1)).length;

  function score(input: Float32Array, rows: number) {
    const part = (from: number, count: number) =>
      run(input.subarray(from * inputSize, (from + count) * inputSize), count);
    return scoreRows({ rows, outputSize, ceiling, run: part, probe: () => run(probeRow, 1) });
  }

  async function scoreAll(input: Float32Array, rows: number): Promise<Float32Array> {
    const { scores, failures } = await score(input, rows);
    const [failure] = failures;
    if (failure === undefined) return scores;
    throw new MillraceError('model', `the model fails on a warm-up row of numbers between 0 and 1: ${failure[1]}`, {
      hint: 'check that the model takes the features as plain numbers',
    });
  }

  return {
    provider,
    inputSize,
    outputSize,
    score,
    async warmUp(batchMax) {
      if (provider === 'cpu') return await checkBatchInvariance(scoreAll, inputSize, outputSize, batchMax);
      for (const rows of warmUpSizes(batchMax)) await scoreAll(warmUpRows(rows, inputSize), rows);
    },
    release: () => native.release(),
  };
}

async function runOnce(
  onnx: typeof Onnx,
  native: Onnx.InferenceSession,
  { input: name, inputSize, output: outputName }: ModelTensors,
  input: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const tensor = new onnx.Tensor('float32', input.subarray(0, rows * inputSize), [rows, inputSize]);
  const output = (await native.run({ [name]: tensor }, [outputName]))[outputName];
  if (output?.dims[0] !== rows || !(output.data instanceof Float32Array)) {
    throw new MillraceError('model', `the model answers ${rows} rows with [${output?.dims.join(', ')}]`, {
      hint: 'export it so that each input row gives one output row',
    });
  }
  return output.data;
}

/**
 * Runs the model once with profiling on: the profile alone tells where its nodes really ran.
 *
 * Throws a plain error where none of them ran on `provider`.
 */
export async function proveProvider(
  model: Pick<Ask<'load'>, 'bytes'>,
  provider: string,
  options: Onnx.InferenceSession.SessionOptions,
): Promise<void> {
  const onnx = await loadOnnx();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-profile-'));
  try {
    const profiling = { ...options, enableProfiling: true, profileFilePrefix: join(folder, 'profile') };
    const native = await onnx.InferenceSession.create(model.bytes, profiling);
    try {
      const tensors = chooseTensors(native.inputMetadata, native.outputMetadata);
      await runOnce(onnx, native, tensors, warmUpRows(1, tensors.inputSize), 1);
      native.endProfiling();
    } finally {
      await native.release();
    }
    const profiles = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
    if (!profiles.some((profile) => profileShows(profile, provider))) {
      throw new Error('loads, but no node of the model runs on it');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a refusal looks like to a reader. */
export const refusal = (provider: string, error: unknown): string => `${provider}: ${messageOf(error).trim()}`;
