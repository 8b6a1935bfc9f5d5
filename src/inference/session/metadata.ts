import { MillraceError, type ModelInput, type TensorData } from '../../core/index.js';
import { toHalves } from './float16.js';

/** A model's description of one of its inputs or outputs; a dimension is a number, or a name if it varies. */
export interface ValueFacts {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

export interface ModelTensors {
  readonly inputs: readonly ModelInput[];
  /** The outputs to ask for. */
  readonly outputs: readonly string[];
}

export const holdsFloats = ({ type }: ValueFacts): boolean => type === 'float32' || type === 'float16';
/** Those of float32, or where there are none, of float16, or of float64. */
export function floatOutputs(outputs: readonly ValueFacts[]): readonly ValueFacts[] {
  const of = (wanted: string) => outputs.filter(({ type }) => type === wanted);
  return ['float32', 'float16', 'float64'].map(of).find((found) => found.length > 0) ?? [];
}
/** What is said of an input beside its name, type and shape. */
export const conversionOf = ({ type }: ValueFacts): Pick<ModelInput, 'as'> =>
  type === 'float16' || type === 'bool' ? { as: type } : {};
/** The values of an input as its model takes them. */
export function converted(data: TensorData, as: ModelInput['as']): TensorData {
  if (as === 'float16') return toHalves(data as Float32Array);
  return as === 'bool' ? (data as Uint8Array).map((flag) => (flag === 0 ? 0 : 1)) : data;
}

export const text = ({ name, isTensor, type, shape }: ValueFacts) =>
  isTensor
    ? `'${name}' ${type} [${shape?.map((size) => (size === '' ? 'N' : size)).join(', ')}]`
    : `'${name}' (no tensor)`;
export const list = (values: readonly ValueFacts[]) => values.map(text).join(', ') || 'none';
export const refuse = (message: string, hint: string): never => {
  throw new MillraceError('model', message, { hint });
};

/**
 * Picks the input and the output of a scoring model: one input `[N, k]` of floats (float32, float16 or float64), and probabilities `[N, c]` (an
 * integer label of a classifier is ignored).
 *
 * Throws `MillraceError('model')` with a hint for anything else: several inputs, other types, a batch axis of fixed length, outputs
 * that are not tensors (`ZipMap`).
 */
export function chooseTensors(inputs: readonly ValueFacts[], outputs: readonly ValueFacts[]): ModelTensors {
  return { inputs: [chooseInput(inputs)], outputs: [chooseOutput(outputs)] };
}

export function chooseInput(inputs: readonly ValueFacts[]): ModelInput {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    return refuse(
      `the model takes ${inputs.length} inputs (${list(inputs)}), not one`,
      'name them in `inputs`, or export it with all features in one float32 input of shape [N, number of features]',
    );
  }
  const [batch, width, ...more] = input.shape ?? [];
  const isDouble = input.type === 'float64';
  if (!(holdsFloats(input) || isDouble) || batch === undefined || width === undefined || more.length > 0) {
    return refuse(
      `the model's input is ${text(input)}, not float32 [N, number of features]`,
      'export it with one float32 input, e.g. skl2onnx: initial_types=[("x", FloatTensorType([None, k]))]; tensors are named in `inputs`',
    );
  }
  if (typeof batch === 'number') {
    return refuse(
      `the model's input ${text(input)} has a batch axis of fixed length`,
      'export it with a dynamic first axis, e.g. torch.onnx.export(..., dynamic_axes={"x": {0: "N"}})',
    );
  }
  if (typeof width !== 'number') {
    return refuse(
      `the model's input ${text(input)} does not say how many features a row has`,
      'export it with a fixed number of features, e.g. FloatTensorType([None, k])',
    );
  }
  return { name: input.name, type: isDouble ? 'float64' : 'float32', ...conversionOf(input), shape: [width] };
}

function chooseOutput(outputs: readonly ValueFacts[]): string {
  const scores = floatOutputs(outputs.filter(({ shape }) => shape?.length === 2));
  const named = scores.length > 1 ? scores.filter(({ name }) => /prob/i.test(name)) : scores;
  const [output, ...others] = named;
  if (output !== undefined && others.length === 0) return output.name;
  if (scores.length === 0 && outputs.some(({ isTensor }) => !isTensor)) {
    return refuse(
      `the model's outputs (${list(outputs)}) hold its probabilities in a map, not in a tensor`,
      'export it without ZipMap, e.g. skl2onnx: options={"zipmap": False}',
    );
  }
  return refuse(
    `the model's outputs (${list(outputs)}) are not one float32 tensor of probabilities [N, classes]`,
    'export the probabilities as a float32 output with two dimensions; if there are several, name it "probabilities"',
  );
}
