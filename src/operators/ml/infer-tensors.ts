import {
  atPlace,
  type BatchedLogic,
  type FeatureShape,
  MillraceError,
  type ModelHandle,
  type ModelInput,
  makeOfEach,
  type Origin,
  RowFailure,
  type RunResult,
  type StepContext,
  sizeOf,
  type Tensor,
  type TensorData,
  type TensorValues,
  tensorTypeOf,
} from '../../core/index.js';
import { counted } from '../../util/counted.js';
import { fieldAdder } from '../../util/literals.js';
import { type UrgencyOptions, urgencyOf } from './model-options.js';

/** What a model of tensors is asked, and what its answers are made into. */
export interface Asking {
  /** For each input of the model, the tensor of a record. */
  readonly readers: readonly ((value: unknown) => Tensor)[];
  readonly isBehind: (origins: readonly Origin[]) => boolean;
  /** The field of a record, or why there is none. */
  readonly answerOf: (result: RunResult, row: number) => object | RowFailure;
}

/** A row that the model can take: its place among the values, and among the lengths of the model. */
interface ReadRow {
  readonly at: number;
  readonly bucket: number;
  readonly tensors: readonly Tensor[];
}

/** The readers of named inputs, in their order. */
export const readersOf = (inputs: object): Asking['readers'] => Object.values(inputs);

/** Asks a model about the tensors of records, and adds its answers to them. */
export function askTensors(
  model: ModelHandle,
  { readers, isBehind, answerOf }: Asking,
  options: UrgencyOptions<unknown> & { readonly as: string },
  context: StepContext,
): BatchedLogic {
  const withAnswer = fieldAdder(options.as);

  /** The rows that the model can take, with their tensors; the others are answered at once. */
  function readRows(values: readonly unknown[], origins: readonly Origin[], answers: unknown[]) {
    const rows: ReadRow[] = [];
    const all = makeOfEach(context.step, values, origins, (value) => readers.map((read) => read(value)));
    for (const [at, tensors] of all.entries()) {
      const bucket = bucketOf(tensors, model, context.step, origins[at]);
      if (typeof bucket === 'number') rows.push({ at, bucket, tensors });
      else answers[at] = bucket;
    }
    return rows;
  }

  return {
    async onBatch(values, origins) {
      const answers = new Array<unknown>(values.length);
      const rows = readRows(values, origins, answers);
      const rowAt = (row: number) => rows[row] as ReadRow;
      const how = { sheds: false, isBehind: isBehind(origins) };
      const result = await model.run(
        rows.length,
        (row, into, place) => {
          const { tensors } = rowAt(row);
          for (const [i, { data }] of tensors.entries()) write(data, into[i] as TensorData, place * data.length);
        },
        (row) => rowAt(row).bucket,
        urgencyOf(options, { values, origins, at: (row) => rowAt(row).at }, how, context),
      );
      for (const [row, { at }] of rows.entries()) {
        const failure = result.failures.get(row);
        const answer = failure === undefined ? answerOf(result, row) : new RowFailure('inference', failure);
        answers[at] = answer instanceof RowFailure ? answer : withAnswer(values[at], answer);
      }
      return answers;
    },
    flush: () => model.flush(),
  };
}

function write(data: TensorValues, into: TensorData, at: number): void {
  if (!Array.isArray(into)) into.set(data as never, at);
  else for (const [i, text] of data.entries()) into[at + i] = text as string;
}

/** What is said of each answer: the model that gave it, and why it was not the first one. */
export function madeBy({ versions, degraded, reasons }: RunResult, row: number) {
  const reason = reasons?.[row];
  return {
    model: versions[row] as string,
    degraded: degraded[row] as string | null,
    ...(reason && { reason }),
  };
}

/**
 * The place of a row's length among those of the model. A tensor that a record cannot fill is the record's fault; one of another type
 * than the input is the function's, and throws.
 */
function bucketOf(
  tensors: readonly Tensor[],
  model: ModelHandle,
  step: string,
  origin: Origin | undefined,
): number | RowFailure {
  const lengths = new Set<number>();
  for (const [i, input] of model.inputs.entries()) {
    const tensor: Given = tensors[i] ?? NO_TENSOR;
    if (!Array.isArray(tensor.shape)) throw noTensor(tensor, input, step, origin);
    if (!fits(tensor, input)) {
      if (!isOfKind(tensor.data, input)) throw ofAnotherKind(tensor, input, step, origin);
      return new RowFailure('inference', mismatch(tensor, input));
    }
    for (const [axis, size] of input.shape.entries()) if (size === null) lengths.add(tensor.shape[axis] as number);
  }
  const [length, another] = lengths;
  if (length === undefined) return 0;
  const bucket = model.lengths.indexOf(length);
  if (another === undefined && bucket >= 0) return bucket;
  return new RowFailure(
    'inference',
    `the length is ${[...lengths].join(' and ')}, not one of ${model.lengths.join(', ')}`,
  );
}

/** What a function gives, which may have found nothing in its record. */
interface Given {
  readonly shape: readonly number[];
  readonly data: TensorValues | null | undefined;
}
const NO_TENSOR: Given = { shape: [], data: undefined };

/** A float32 is a float64 too. */
const isOfType = (data: Given['data'], { type }: ModelInput): boolean =>
  tensorTypeOf(data) === type || (type === 'float64' && data instanceof Float32Array);

const fits = ({ shape, data }: Given, input: ModelInput): boolean =>
  isOfType(data, input) &&
  data?.length === sizeOf(shape) &&
  shape.length === input.shape.length &&
  input.shape.every((size, axis) => size === null || size === shape[axis]);

/** Whether it would be of the right type if the record had all that it is made of. */
const isOfKind = (data: Given['data'], input: ModelInput): boolean =>
  data === undefined || data === null || isOfType(data, input) || (Array.isArray(data) && input.type === 'string');

function mismatch({ shape, data }: Given, { name, type, shape: sizes }: ModelInput): string {
  const wanted = `${type} [${sizes.map((size) => size ?? 'length').join(', ')}]`;
  const given = data && `${tensorTypeOf(data) ?? 'another array'} [${shape.join(', ')}] of ${data.length} values`;
  return `the input '${name}' takes ${wanted}, not ${given ?? 'nothing'}`;
}

const ofAnotherKind = (tensor: Given, input: ModelInput, step: string, origin: Origin | undefined): MillraceError =>
  new MillraceError('model', `${mismatch(tensor, input)}${atPlace(origin)}`, {
    where: step,
    hint: "make the tensors of the type that the model was exported with, such as Float32Array for float32, or an array of texts for 'string'",
  });

function noTensor(given: unknown, { name }: ModelInput, step: string, origin: Origin | undefined): MillraceError {
  const what = Array.isArray(given) || ArrayBuffer.isView(given) ? 'an array' : `a value of type ${typeof given}`;
  return new MillraceError('model', `the input '${name}' takes a tensor, not ${what}${atPlace(origin)}`, {
    where: step,
    hint: 'return its shape beside its values: { shape: [3], data: Float32Array.of(1, 2, 3) }',
  });
}

/** Throws unless a view makes as many features as the model takes. */
export function checkWidth(
  view: { readonly name: string; readonly shape: FeatureShape },
  model: ModelHandle,
  context: StepContext,
) {
  const { denseSize } = view.shape;
  const width = widthOf(model);
  if (denseSize !== width) throw wrongWidth(context, `'${view.name}'`, denseSize, width);
}

/** How many features a row has. */
export const widthOf = ({ inputs }: ModelHandle): number => inputs[0]?.shape[0] ?? 0;

export function wrongWidth({ step }: StepContext, view: string, denseSize: number, inputSize: number): MillraceError {
  return new MillraceError(
    'model',
    `the feature view ${view} has ${counted(denseSize, 'dense feature')}, but the model of step '${step}' takes ${inputSize}`,
    { where: step, hint: 'train the model again with this view, or give the step the view it was trained with' },
  );
}
