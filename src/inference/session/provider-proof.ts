import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Onnx from 'onnxruntime-node';
import type { Provider } from '../../core/index.js';
import { layoutOf } from '../scheduling/layout.js';
import { createSession, type ModelSource } from './model-source.js';
import { runnerOf } from './runner.js';
import { noLengths, warmUpViews } from './warm-up.js';

/** A provider, and the share of the nodes that must run on it. */
export interface Wanted {
  readonly name: string;
  readonly shareMin?: number | undefined;
}

/**
 * Runs the model once with profiling, because only the profile tells where its nodes ran: the runtime drops an unavailable provider, and
 * leaves nodes that it has no kernels for to the CPU, without an error.
 *
 * Throws a plain error if none of them ran on the provider, or less than `shareMin`.
 */
export async function proveProvider(
  onnx: typeof Onnx,
  model: ModelSource,
  { name, shareMin = 0 }: Wanted,
  options: Onnx.InferenceSession.SessionOptions,
): Promise<void> {
  const { onIt, all } = await countNodes(onnx, model, name, options);
  if (onIt === 0) throw new Error('loads, but no node of the model runs on it');
  if (onIt < shareMin * all) throw new Error(`runs ${onIt} of ${all} nodes, which is less than shareMin ${shareMin}`);
}

interface Nodes {
  readonly onIt: number;
  readonly all: number;
}

async function countNodes(
  onnx: typeof Onnx,
  model: ModelSource,
  provider: string,
  options: Onnx.InferenceSession.SessionOptions,
): Promise<Nodes> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-profile-'));
  try {
    const profiling = { ...options, enableProfiling: true, profileFilePrefix: join(folder, 'profile') };
    const native = await createSession(onnx, model, profiling);
    try {
      const { inputs, run } = runnerOf(onnx, native, model.tensors);
      const probe = layoutOf(inputs, (model.tensors?.lengths ?? noLengths)[0] as number, 1);
      await run(probe, warmUpViews(probe), 0, 1);
      native.endProfiling();
    } finally {
      await native.release();
    }
    const profiles = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
    const counts = profiles.map((profile) => nodesOn(profile, provider));
    return { onIt: sum(counts.map(({ onIt }) => onIt)), all: sum(counts.map(({ all }) => all)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** The name of each provider in ONNX Runtime's profile. */
const executionProviders: Readonly<Record<Provider, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  dml: 'DmlExecutionProvider',
  coreml: 'CoreMLExecutionProvider',
};

/** The nodes that a profile of ONNX Runtime lists, and how many of them ran on `provider`. */
export function nodesOn(profile: string, provider: string): Nodes {
  const wanted = (executionProviders as Readonly<Record<string, string>>)[provider];
  const events = JSON.parse(profile) as readonly { readonly args?: { readonly provider?: string } }[];
  const ran = events.flatMap(({ args }) => (args?.provider === undefined ? [] : [args.provider]));
  return { onIt: ran.filter((name) => name === wanted).length, all: ran.length };
}
