import type * as Onnx from 'onnxruntime-node';
import type { ModelInput, TensorData, TensorSpec } from '../../core/index.js';
import type { Layout } from '../scheduling/layout.js';
import { chooseTensors } from './metadata.js';
import { chooseNamed } from './named-tensors.js';
import { vectorsOf } from './vectors.js';

/** Scores the rows `from` to `from + rows` of a batch: one vector per row. */
type RunRows = (layout: Layout, views: readonly TensorData[], from: number, rows: number) => Promise<Float32Array>;

/**
 * The inputs of a loaded model, and how its rows are run.
 *
 * Throws `MillraceError('model')` if it is not a model of features, or not one of `spec`.
 */
export function runnerOf(
  onnx: typeof Onnx,
  native: Onnx.InferenceSession,
  spec: TensorSpec | undefined,
): { readonly inputs: readonly ModelInput[]; readonly run: RunRows } {
  const { inputMetadata, outputMetadata } = native;
  const { inputs, output } = spec
    ? chooseNamed(inputMetadata, outputMetadata, spec)
    : chooseTensors(inputMetadata, outputMetadata);

  const run: RunRows = async ({ regions }, views, from, rows) => {
    const parts = regions.map(({ rowSize }, i) => views[i]?.subarray(from * rowSize, (from + rows) * rowSize));
    // The library's types join each name to its kind of array; here both come from one list.
    const feeds = regions.map(
      ({ name, type, rowShape }, i) => [name, new onnx.Tensor(type, parts[i] as never, [rows, ...rowShape])] as const,
    );
    const answer = (await native.run(Object.fromEntries(feeds), [output]))[output];
    return vectorsOf(answer, rows, spec, (name) => parts[inputs.findIndex((input) => input.name === name)]);
  };
  return { inputs, run };
}
