import {
  type Adds,
  type BatchedLogic,
  type FallbackReason,
  type Free,
  inferenceService,
  MillraceError,
  type ModelHandle,
  type ModelInput,
  type Operator,
  type Pooling,
  type Problem,
  RowFailure,
  type Settings,
  type StepContext,
  sizeOf,
  type Tensor,
  tensorTypeOf,
} from '../../core/index.js';
import { fieldAdder } from '../../util/literals.js';
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
  urgencyOf,
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
  /** The output to use (default: the only float32 output). */
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
    problems: problemsOf(options),
    shape: {
      shape: 'batched',
      nondeterministic: isNondeterministic(options),
      async open(context, services) {
        const handle = await services.get(inferenceService).open(specOf(options, tensors));
        const readers = Object.values<(value: T) => Tensor>(options.inputs) as readonly ((value: unknown) => Tensor)[];
        const isBehind = lagOf(options, services);
        return vectorizer(handle, { readers, isBehind }, options as InferVectorsOptions<unknown, As, Name>, context);
      },
    },
  };
}

function vectorizer(
  model: ModelHandle,
  {
    readers,
    isBehind,
  }: { readonly readers: readonly ((value: unknown) => Tensor)[]; readonly isBehind: ReturnType<typeof lagOf> },
  options: InferVectorsOptions<unknown, string, string>,
  context: StepContext,
): BatchedLogic {
  const { outputSize } = model;
  const withVector = fieldAdder(options.as);

  /** The rows that the model can take, with their tensors; the others are answered at once. */
  function readRows(values: readonly unknown[], answers: unknown[]) {
    const rows: { readonly at: number; readonly bucket: number; readonly tensors: readonly Tensor[] }[] = [];
    for (const [at, value] of values.entries()) {
      const tensors = readers.map((read) => read(value));
      const bucket = bucketOf(tensors, model, context);
      if (typeof bucket === 'number') rows.push({ at, bucket, tensors });
      else answers[at] = bucket;
    }
    return rows;
  }

  return {
    async onBatch(values, origins) {
      const answers = new Array<unknown>(values.length);
      const rows = readRows(values, answers);
      const how = { sheds: false, isBehind: isBehind(origins) };
      const { scores, failures, degraded, reasons, versions } = await model.run(
        rows.length,
        (row, into, place) => {
          const { tensors } = rows[row] as (typeof rows)[number];
          for (const [i, { data }] of tensors.entries()) into[i]?.set(data as never, place * data.length);
        },
        (row) => rows[row]?.bucket ?? 0,
        urgencyOf(options, (row) => values[rows[row]?.at as number], how),
      );
      for (const [row, { at }] of rows.entries()) {
        const vector = Array.from(scores.subarray(row * outputSize, (row + 1) * outputSize));
        const failure = failures.get(row) ?? whatIsNoNumber(vector);
        const reason = reasons?.[row];
        answers[at] =
          failure === undefined
            ? withVector(values[at], {
                vector,
                model: versions[row] as string,
                degraded: degraded[row] as string | null,
                ...(reason && { reason }),
              } satisfies InferredVector)
            : new RowFailure('inference', failure);
      }
      return answers;
    },
    flush: () => model.flush(),
  };
}

/** The place of a row's length among those of the model. Throws where its tensors are of another kind than the model's inputs. */
function bucketOf(tensors: readonly Tensor[], model: ModelHandle, context: StepContext): number | RowFailure {
  const lengths = new Set<number>();
  for (const [i, input] of model.inputs.entries()) {
    const tensor = tensors[i] as Tensor;
    if (!fits(tensor, input)) throw doesNotFit(tensor, input, context);
    for (const [axis, size] of input.shape.entries()) if (size === null) lengths.add(tensor.shape[axis] as number);
  }
  if (lengths.size === 0) return 0;
  const [length = 0] = lengths;
  const bucket = lengths.size === 1 ? model.lengths.indexOf(length) : -1;
  if (bucket >= 0) return bucket;
  return new RowFailure(
    'inference',
    `the length is ${[...lengths].join(' and ')}, not one of ${model.lengths.join(', ')}`,
  );
}

const fits = ({ shape, data }: Tensor, input: ModelInput): boolean =>
  tensorTypeOf(data) === input.type &&
  data.length === sizeOf(shape) &&
  shape.length === input.shape.length &&
  input.shape.every((size, axis) => size === null || size === shape[axis]);

function doesNotFit({ shape, data }: Tensor, input: ModelInput, { step }: StepContext): MillraceError {
  const wanted = `${input.type} [${input.shape.map((size) => size ?? 'length').join(', ')}]`;
  const given = `${tensorTypeOf(data) ?? 'another array'} [${shape.join(', ')}] of ${data.length} numbers`;
  return new MillraceError('model', `input '${input.name}' of step '${step}' takes ${wanted}, not ${given}`, {
    where: step,
    hint: 'make the tensors as the model was exported: type, order and sizes of axes',
  });
}

function whatIsNoNumber(vector: readonly number[]): string | undefined {
  const wrong = vector.find((number) => !Number.isFinite(number));
  return wrong === undefined ? undefined : `the vector holds ${wrong}`;
}

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
