import {
  type Adds,
  type FallbackReason,
  type FeatureVector,
  type Free,
  inferenceService,
  isFloat,
  type ModelHandle,
  type ModelOutput,
  type Operator,
  type OutputType,
  outputTypes,
  type Problem,
  RowFailure,
  type RunResult,
  type Settings,
  type StepContext,
  sizeOf,
  type Tensor,
  type TensorSpec,
} from '../../core/index.js';
import type { FeatureView } from '../../ml/features/index.js';
import { optionProblems } from '../options.js';
import { askTensors, checkWidth, madeBy, readersOf, widthOf, wrongWidth } from './infer-tensors.js';
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
  type WithFeatures,
} from './model-options.js';

/** One output of a model: its type, by ONNX's name, and its shape for one record, without the axis of the batch. */
export interface OutputDeclaration {
  readonly type: OutputType;
  /** The sizes of the axes. Without any the output is one value (default). */
  readonly shape?: readonly number[];
}

type Outputs = Readonly<Record<string, OutputDeclaration>>;
type ValueOf<Type extends OutputType> = Type extends 'string' ? string : Type extends 'bool' ? boolean : number;

/** An output of one record: a value where no axis is declared, or else its values, flat, in row-major order. */
export type InferredOutput<O extends OutputDeclaration> = O extends {
  readonly shape: readonly [number, ...(readonly number[])];
}
  ? readonly ValueOf<O['type']>[]
  : ValueOf<O['type']>;

/** A model's outputs for one record. */
export interface InferredOutputs<O extends Outputs> {
  /** By the names of the model. */
  readonly outputs: { readonly [Name in keyof O]: InferredOutput<O[Name]> };
  /** SHA-256 of the model file that made them. */
  readonly model: string;
  /** What answered in place of the first declared model and provider (`'cpu'`, `'small.onnx'`); `null` where these did. */
  readonly degraded: string | null;
  /** Why another model answered: the first one failed on the record, could not be run, or would have been late. */
  readonly reason?: FallbackReason;
}

/** Which model of features `infer` asks for several outputs, and under which name it adds them. */
export interface InferOutputsOptions<As extends string, O extends Outputs, T = WithFeatures>
  extends ModelOptions<As>,
    UrgencyOptions<T> {
  /** The outputs to take, by the names of the model, each with the type and the shape that it has there. */
  readonly outputs: O;
  /** The view that makes `features`: a model that takes another number of features is refused before the first record. */
  readonly view?: Pick<FeatureView, 'name' | 'shape'>;
}

/** Which model of tensors `infer` asks for several outputs, what fills its inputs, and under which name it adds the outputs. */
export interface InferTensorsOptions<T, As extends string, Name extends string, O extends Outputs>
  extends ModelOptions<As>,
    UrgencyOptions<T> {
  /** A record's tensor for each input of the model, without the axis of the batch. */
  readonly inputs: { readonly [N in Name]: (value: T) => Tensor };
  /** The outputs to take, by the names of the model, each with the type and the shape that it has there. */
  readonly outputs: O;
  /** The lengths that the dynamic axis of the tensors may have, in ascending order. Rows of one length share batches. */
  readonly lengths?: readonly number[];
}

type Options =
  | (InferOutputsOptions<string, Outputs> & { readonly inputs?: undefined; readonly lengths?: undefined })
  | (InferTensorsOptions<never, string, string, Outputs> & { readonly view?: undefined });

/** `infer` with `outputs`: see there. */
export function inferOutputs(
  options: Options,
): Operator<WithFeatures & Free<string>, Adds<{ readonly [name: string]: InferredOutputs<Outputs> }>> {
  const { inputs, lengths, view } = options;
  const declared = declaredOf(options.outputs);
  const tensors: TensorSpec = {
    outputs: declared,
    ...(inputs !== undefined && { inputs: Object.keys(inputs) }),
    ...(lengths !== undefined && { lengths }),
  };
  return {
    kind: 'infer',
    settings: settingsOf(options, declared),
    problems: [...optionProblems('infer', options), ...problemsOf(options, declared)],
    shape: {
      shape: 'batched',
      nondeterministic: isNondeterministic(options),
      async open(context, services) {
        const handle = await services.get(inferenceService).open(specOf(options, tensors));
        if (view !== undefined) checkWidth(view, handle, context);
        const asking = {
          readers: inputs === undefined ? [featuresFor(handle, context)] : readersOf(inputs),
          isBehind: lagOf(options, services),
          answerOf: answerOf(declared),
        };
        return askTensors(handle, asking, options as UrgencyOptions<unknown> & Options, context);
      },
    },
  };
}

const declaredOf = (outputs: Outputs): readonly ModelOutput[] =>
  Object.entries(outputs).map(([name, { type, shape = [] }]) => ({ name, type, shape }));

/** Reads the features of a record. Throws where the model takes another number of them: no record will have as many. */
function featuresFor(model: ModelHandle, context: StepContext): (value: unknown) => Tensor {
  const width = widthOf(model);
  return (value) => {
    const { dense, view } = (value as WithFeatures).features as FeatureVector;
    if (dense.length !== width) throw wrongWidth(context, `'${view}'`, dense.length, width);
    return { shape: [dense.length], data: dense };
  };
}

/** The values of one output of a row. */
type Read = (result: RunResult, row: number) => readonly unknown[] | RowFailure;

function answerOf(declared: readonly ModelOutput[]) {
  const width = declared.reduce((sum, { type, shape }) => sum + (isFloat(type) ? sizeOf(shape) : 0), 0);
  let [floats, others] = [0, 0];
  const readers = declared.map((output) => {
    const size = sizeOf(output.shape);
    const from = isFloat(output.type) ? floats : others;
    if (isFloat(output.type)) floats += size;
    else others += size;
    const read: Read = isFloat(output.type) ? floatsAt(output, from, size, width) : othersAt(output, from, size);
    return { name: output.name, isOne: output.shape.length === 0, read };
  });
  return (result: RunResult, row: number): object | RowFailure => {
    const outputs: Record<string, unknown> = {};
    for (const { name, isOne, read } of readers) {
      const values = read(result, row);
      if (values instanceof RowFailure) return values;
      outputs[name] = isOne ? values[0] : values;
    }
    return { outputs, ...madeBy(result, row) };
  };
}

const floatsAt =
  ({ name }: ModelOutput, from: number, size: number, width: number): Read =>
  ({ scores }, row) =>
    finite(name, Array.from(scores.subarray(row * width + from, row * width + from + size)));

function finite(name: string, values: readonly unknown[]): readonly unknown[] | RowFailure {
  const wrong = values.find((number) => !Number.isFinite(number));
  return wrong === undefined ? values : new RowFailure('inference', `the output '${name}' holds ${wrong}`);
}

const othersAt =
  ({ name, type }: ModelOutput, from: number, size: number): Read =>
  ({ discrete }, row) => {
    const values = discrete?.[row]?.slice(from, from + size) ?? [];
    if (type === 'bool') return values.map((value) => value === 1);
    if (type === 'float64') return finite(name, values);
    const wrong = values.find((value) => typeof value === 'number' && !Number.isSafeInteger(value));
    if (wrong === undefined) return values;
    return new RowFailure('inference', `the output '${name}' holds an integer beyond 2^53, which no number is exactly`);
  };

function settingsOf(options: Options, declared: readonly ModelOutput[]): Settings {
  const { inputs, lengths } = options;
  const said = declared.map(({ name, type, shape }) => `${name} ${type}${shape.length > 0 ? ` [${shape}]` : ''}`);
  return {
    ...modelSettings(options),
    ...(inputs !== undefined && { inputs: Object.keys(inputs).join(', ') }),
    outputs: said.join(', '),
    ...(lengths !== undefined && { lengths: lengths.join(', ') }),
  };
}

function problemsOf(options: Options, declared: readonly ModelOutput[]): readonly Problem[] {
  const { inputs, lengths, lagMax, fallback = [] } = options;
  const problems = [...modelProblems(options), ...(lengths ? lengthsProblems(lengths) : [])];
  if (lagMax !== undefined && fallback.length === 0) problems.push(nobodyCheaper);
  if (inputs !== undefined && Object.keys(inputs).length === 0)
    problems.push({ message: 'no inputs', hint: 'name the inputs of the model: { pixels: (r) => r.pixels }' });
  if (declared.length === 0)
    problems.push({ message: 'no outputs', hint: "name the outputs of the model: { label: { type: 'int64' } }" });
  for (const { name, type, shape } of declared) {
    if (!outputTypes.includes(type))
      problems.push({ message: `the output '${name}' is of type '${type}'`, hint: `give ${outputTypes.join(', ')}` });
    if (!shape.every((size) => Number.isSafeInteger(size) && size > 0))
      problems.push({
        message: `the output '${name}' has the shape [${shape}]`,
        hint: 'give the sizes of one row, from 1, without the axis of the batch; nothing for one value',
      });
  }
  return problems;
}
