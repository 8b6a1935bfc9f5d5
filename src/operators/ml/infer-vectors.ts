import {
  type Adds,
  type FallbackReason,
  type Free,
  inferenceService,
  type Operator,
  type Pooling,
  type Problem,
  RowFailure,
  type RunResult,
  type Settings,
  type Tensor,
} from '../../core/index.js';
import { optionProblems } from '../options.js';
import { askTensors, madeBy, readersOf } from './infer-tensors.js';
import {
  isNondeterministic,
  lagOf,
  lengthsProblems,
  type ModelOptions,
  modelProblems,
  modelSettings,
  nobodyCheaper,
  specOf,
  type UrgencyOptions,
} from './model-options.js';

/** A model's vector for one record. */
export interface InferredVector {
  /** The model's output row, flat: an embedding, or the probabilities of classes. An array that every format and sink takes. */
  readonly vector: readonly number[];
  /** SHA-256 of the model file that made the vector. */
  readonly model: string;
  /** What answered in place of the first declared model and provider (`'cpu'`, `'small.onnx'`); `null` where these did. */
  readonly degraded: string | null;
  /** Why another model answered: the first one failed on the record, could not be run, or would have been late. */
  readonly reason?: FallbackReason;
}

/** Which model of tensors `infer` asks, what fills its inputs, and under which name it adds the vector. */
export interface InferVectorsOptions<T, As extends string, Name extends string>
  extends ModelOptions<As>,
    UrgencyOptions<T> {
  /** A record's tensor for each input of the model, without the axis of the batch. */
  readonly inputs: { readonly [N in Name]: (value: T) => Tensor };
  /** The output to use (default: the only one of floats). */
  readonly output?: string;
  /** The lengths that the dynamic axis of the tensors may have, in ascending order. Rows of one length share batches. */
  readonly lengths?: readonly number[];
  /** Reduces the vectors of all positions to one: the first, or the mean over the positions that the named input masks in. */
  readonly pooling?: 'first' | { readonly mean: NoInfer<Name> };
  /** Divides the vector by its Euclidean norm. */
  readonly normalize?: boolean;
}

/** `infer` with `inputs`: see there. */
export function inferVectors<T, const As extends string, Name extends string>(
  options: InferVectorsOptions<T, As, Name>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: InferredVector }>> {
  const { output, lengths, pooling, normalize } = options;
  const inputs = Object.keys(options.inputs);
  const tensors = {
    inputs,
    ...(output !== undefined && { output }),
    ...(lengths !== undefined && { lengths }),
    ...(pooling !== undefined && { pooling: pooling as Pooling }),
    ...(normalize !== undefined && { normalize }),
  };
  return {
    kind: 'infer',
    settings: settingsOf(options),
    problems: [...optionProblems('infer', options), ...problemsOf(options)],
    shape: {
      shape: 'batched',
      nondeterministic: isNondeterministic(options),
      async open(context, services) {
        const handle = await services.get(inferenceService).open(specOf(options, tensors));
        const asking = {
          readers: readersOf(options.inputs),
          isBehind: lagOf(options, services),
          answerOf: vectorOf(handle.outputSize),
        };
        return askTensors(handle, asking, options as InferVectorsOptions<unknown, As, Name>, context);
      },
    },
  };
}

const vectorOf = (outputSize: number) => (result: RunResult, row: number) => {
  const vector = Array.from(result.scores.subarray(row * outputSize, (row + 1) * outputSize));
  const wrong = vector.find((number) => !Number.isFinite(number));
  if (wrong !== undefined) return new RowFailure('inference', `the vector holds ${wrong}`);
  return { vector, ...madeBy(result, row) } satisfies InferredVector;
};

function settingsOf(options: InferVectorsOptions<never, string, string>): Settings {
  const { inputs, output, lengths, pooling, normalize } = options;
  return {
    ...modelSettings(options),
    inputs: Object.keys(inputs).join(', '),
    ...(output !== undefined && { output }),
    ...(lengths !== undefined && { lengths: lengths.join(', ') }),
    ...(pooling !== undefined && { pooling: pooling === 'first' ? pooling : `mean by ${pooling.mean}` }),
    ...(normalize !== undefined && { normalize }),
  };
}

function problemsOf(options: InferVectorsOptions<never, string, string>): readonly Problem[] {
  const problems = [...modelProblems(options), ...(options.lengths ? lengthsProblems(options.lengths) : [])];
  if (options.lagMax !== undefined && (options.fallback ?? []).length === 0) problems.push(nobodyCheaper);
  if (Object.keys(options.inputs).length === 0)
    problems.push({ message: 'no inputs', hint: 'name the inputs of the model: { pixels: (r) => r.pixels }' });
  return problems;
}
