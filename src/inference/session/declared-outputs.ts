import type * as Onnx from 'onnxruntime-node';
import {
  type Discrete,
  isFloat,
  MillraceError,
  type ModelOutput,
  sizeOf,
  type TensorData,
  type TensorSpec,
} from '../../core/index.js';
import type { Values } from '../workers/protocol.js';
import { chooseInput, chooseTensors, list, type ModelTensors, refuse, text, type ValueFacts } from './metadata.js';
import { chooseInputs, chooseNamed } from './named-tensors.js';
import { floatsOf, vectorsOf } from './vectors.js';

/** An output as ONNX Runtime gives it. */
export type RawOutput = Pick<Onnx.Tensor, 'dims' | 'data'>;

/**
 * What a model takes and gives, as far as a step needs it. Throws `MillraceError('model')` with a hint where the model does not have it:
 * see `chooseTensors` and `chooseNamed`; outputs that are declared must have these names, types and shapes.
 */
export function chooseFor(
  inputs: readonly ValueFacts[],
  outputs: readonly ValueFacts[],
  spec: TensorSpec = {},
): ModelTensors {
  const { inputs: names, outputs: declared } = spec;
  const named = names && { ...spec, inputs: names };
  if (declared === undefined) return named ? chooseNamed(inputs, outputs, named) : chooseTensors(inputs, outputs);
  for (const output of declared) checkOutput(output, outputs);
  const chosen = named ? chooseInputs(inputs, named) : [chooseInput(inputs)];
  return { inputs: chosen, outputs: declared.map(({ name }) => name) };
}

function checkOutput(declared: ModelOutput, outputs: readonly ValueFacts[]): void {
  const facts =
    outputs.find(({ name }) => name === declared.name) ??
    refuse(`the model has no output '${declared.name}'`, `it has ${list(outputs)}`);
  if (!facts.isTensor) {
    refuse(
      `the model's output '${declared.name}' is no tensor, but a map or a sequence`,
      'export it as a tensor, e.g. skl2onnx: options={"zipmap": False}',
    );
  }
  // Some models say nothing of the shape; what they answer is checked too.
  const [batch = '', ...axes] = facts.shape ?? [];
  const hasShape = facts.shape === undefined || facts.shape.length === 0 || isShape(axes, declared.shape);
  if (facts.type === declared.type && typeof batch === 'string' && hasShape) return;
  const hint =
    typeof batch === 'string'
      ? `declare it as { type: '${facts.type}', shape: [${axes.join(', ')}] }, with a number for each axis`
      : 'export it with a dynamic first axis: each input row must give one output row';
  refuse(`the model's output is ${text(facts)}, not ${wordsOf(declared)}`, hint);
}

const isShape = (axes: readonly (number | string)[], declared: readonly number[]): boolean =>
  axes.length === declared.length && axes.every((axis, i) => typeof axis === 'string' || axis === declared[i]);

const wordsOf = ({ type, shape }: ModelOutput): string => `${type} [${['N', ...shape].join(', ')}]`;

/**
 * The values of some rows from a model's outputs: those that are declared, or one vector. `inputOf` returns an input of the model by
 * name.
 *
 * Throws `MillraceError('model')` for outputs of other shapes.
 */
export function valuesOf(
  outputs: Readonly<Record<string, RawOutput>>,
  rows: number,
  { spec, names }: { readonly spec: TensorSpec | undefined; readonly names: readonly string[] },
  inputOf: (name: string) => TensorData | undefined,
): Values {
  const declared = spec?.outputs;
  if (declared === undefined) return { scores: vectorsOf(outputs[names[0] as string], rows, spec, inputOf) };
  for (const each of declared) checkShape(each, outputs[each.name], rows);
  const floats = declared.filter(({ type }) => isFloat(type));
  const others = declared.filter(({ type }) => !isFloat(type));
  const scores = joined(
    floats.map((each) => ({ data: floatsIn(each, dataOf(each.name)), size: sizeOf(each.shape) })),
    rows,
  );
  if (others.length === 0) return { scores };
  const discrete = Array.from({ length: rows }, (_, row) =>
    others.flatMap(({ name, shape }) => discreteOf(dataOf(name), row, sizeOf(shape))),
  );
  return { scores, discrete };

  function dataOf(name: string): RawOutput['data'] {
    return (outputs[name] as RawOutput).data;
  }
}

function checkShape(declared: ModelOutput, output: RawOutput | undefined, rows: number): void {
  const { dims = [] } = output ?? {};
  if (dims[0] === rows && isShape(dims.slice(1), declared.shape)) return;
  throw new MillraceError(
    'model',
    `the model answers ${rows} rows with '${declared.name}' [${dims.join(', ')}], not ${wordsOf(declared)}`,
    { hint: 'declare the shape of one row, and export the model so that each input row gives one output row' },
  );
}

function floatsIn(declared: ModelOutput, data: RawOutput['data']): Float32Array {
  const floats = floatsOf(data);
  if (floats) return floats;
  throw new MillraceError('model', `the model answers '${declared.name}' with other values than ${wordsOf(declared)}`, {
    hint: 'declare the type that the model gives',
  });
}

/** The numbers of several outputs, row after row. */
function joined(parts: readonly { readonly data: Float32Array; readonly size: number }[], rows: number): Float32Array {
  const [only, ...more] = parts;
  if (only !== undefined && more.length === 0) return only.data;
  const width = parts.reduce((sum, { size }) => sum + size, 0);
  const all = new Float32Array(rows * width);
  let at = 0;
  for (const { data, size } of parts) {
    for (let row = 0; row < rows; row++) all.set(data.subarray(row * size, (row + 1) * size), row * width + at);
    at += size;
  }
  return all;
}

const discreteOf = (data: RawOutput['data'], row: number, size: number): Discrete[] =>
  Array.from(data.slice(row * size, (row + 1) * size) as ArrayLike<unknown>, (value) =>
    typeof value === 'string' ? value : Number(value),
  );
