import type * as Onnx from 'onnxruntime-node';
import type { ModelInput, TensorData, TensorSpec } from '../../core/index.js';
import { type Layout, partOf } from '../scheduling/layout.js';
import type { Values } from '../workers/protocol.js';
import { chooseFor, valuesOf } from './declared-outputs.js';
import { converted } from './metadata.js';

/** Scores the rows `from` to `from + rows` of a batch. */
export type RunRows = (layout: Layout, views: readonly TensorData[], from: number, rows: number) => Promise<Values>;

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
  const { inputs, outputs } = chooseFor(inputMetadata, outputMetadata, spec);

  const run: RunRows = async ({ regions }, views, from, rows) => {
    const parts = regions.map((region, i) => partOf(views[i] as TensorData, region, from, rows));
    const feeds = regions.map(({ name, type, rowShape }, i) => {
      const as = inputs[i]?.as;
      // The library's types join each name to its kind of array; here both come from one list.
      const values = converted(parts[i] as TensorData, as) as never;
      return [name, new onnx.Tensor(as ?? type, values, [rows, ...rowShape])] as const;
    });
    const answer = await native.run(Object.fromEntries(feeds), outputs);
    const inputOf = (name: string) => parts[inputs.findIndex((input) => input.name === name)];
    return valuesOf(answer, rows, { spec, names: outputs }, inputOf);
  };
  return { inputs, run };
}
