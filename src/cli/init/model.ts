import { existsSync } from 'node:fs';
import { MillraceError } from '../../core/errors.js';
import {
  type InferenceService,
  type ModelSpec,
  type OutputType,
  outputTypes,
  sizeOf,
  tensorTypes,
} from '../../core/inference.js';
import type { ValueFacts } from '../../inference/index.js';
import type { ColumnInput, ColumnOutput, Columns, Input, ScoringModel } from './plan.js';
import type { Field } from './samples/fields.js';
import { denseFeatures, numbersOf } from './tasks/features.js';

/** How many numbers a model takes. */
export type InputSizeOf = (model: string) => Promise<number>;

/**
 * The model at a path, as the records of an input can be scored with it. It is loaded to see that it can.
 *
 * @throws MillraceError `config` where there is no such file, or a record does not have what the model takes; `model` where it is none.
 */
export async function modelOf(
  path: string | undefined,
  input: Input,
  inputSizeOf: InputSizeOf = sizeByLoading,
): Promise<ScoringModel> {
  if (path === undefined || !existsSync(path)) {
    throw new MillraceError('config', path === undefined ? 'no model is given' : `there is no file ${path}`, {
      where: '--model',
      hint: 'give the ONNX file: --model models/risk.onnx',
    });
  }
  let inputSize: number;
  try {
    inputSize = await inputSizeOf(path);
  } catch (cause) {
    const columns = await columnsOf(path, input);
    if (columns !== undefined) return { path, columns };
    throw cause;
  }
  if (denseFeatures({ input }, inputSize) !== undefined) return { path, inputSize };
  const numbers = numbersOf({ input }).map(({ name }) => name);
  throw new MillraceError('config', `the model takes ${inputSize} numbers, more than a record has`, {
    where: path,
    hint: `numeric fields: ${numbers.join(', ') || 'none'}`,
  });
}

async function sizeByLoading(model: string): Promise<number> {
  const { inputs } = await loaded({ model });
  return inputs[0]?.shape[0] ?? 0;
}

/** What is known of a model that was loaded, and let go. */
async function loaded(model: Pick<ModelSpec, 'model' | 'tensors'>): ReturnType<InferenceService['open']> {
  const { createInference } = await import('../../inference/index.js');
  const inference = createInference();
  try {
    return await inference.open({ ...model, batchMax: 1, waitMax: 0, providers: ['cpu'] });
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw cause;
    const { code, message, hint } = cause;
    const writes = 'init writes steps for models with one input of numbers, or an input for each column';
    throw new MillraceError(code, message, {
      where: String(model.model),
      hint: hint === undefined ? writes : `${hint}; ${writes}`,
      cause,
    });
  } finally {
    await inference.close();
  }
}

/** A model with an input for each column; nothing where it has one input, or cannot be read. */
async function columnsOf(path: string, input: Input): Promise<Columns | undefined> {
  const { describeModel } = await import('../../inference/index.js');
  const facts = await describeModel(path);
  if (facts === undefined || facts.inputs.length < 2 || !facts.inputs.every(isColumn)) return undefined;
  const inputs = facts.inputs.map((each) => inputOf(each, input, path));
  const outputs = facts.outputs.flatMap(outputOf);
  if (outputs.length === 0) return undefined;
  await loaded({ model: path, tensors: { inputs: inputs.map(({ name }) => name), outputs } });
  return { inputs, outputs };
}

/** The sizes of a row's axes; nothing where they vary, or the batch has none. */
function rowShape({ isTensor, shape = [] }: ValueFacts): readonly number[] | undefined {
  const [batch, ...axes] = shape;
  const sizes = axes.filter((axis) => typeof axis === 'number');
  return isTensor && typeof batch === 'string' && sizes.length === axes.length ? sizes : undefined;
}

const isColumn = (facts: ValueFacts): boolean => sizeOf(rowShape(facts) ?? [0]) === 1;

function inputOf(facts: ValueFacts, input: Input, path: string): ColumnInput {
  const { name } = facts;
  const type = facts.type === 'float16' ? 'float32' : facts.type;
  const { fields, record } = input.shape;
  const field = fields.find((each) => plain(each.name) === plain(name));
  const fail = (message: string, hint: string) => new MillraceError('config', message, { where: path, hint });
  if (field === undefined)
    throw fail(`the model takes '${name}', and a ${record} has no such field`, `its fields: ${namesOf(fields)}`);
  if (!isInputType(type)) throw fail(`the model's input '${name}' is of type ${type}`, `it may be of ${inputTypes}`);
  const fits = type === 'string' ? ['text', 'number', 'boolean'] : ['number', 'boolean'];
  if (fits.includes(field.holds)) return { name, type, shape: rowShape(facts) ?? [], field };
  throw fail(
    `the model's input '${name}' is of type ${type}, and ${field.name} of a ${record} holds ${field.type}`,
    'give records in which it is a number, or a schema that says so',
  );
}

function outputOf(facts: ValueFacts): readonly ColumnOutput[] {
  const { name, type } = facts;
  const shape = rowShape(facts);
  if (shape === undefined || !isOutputType(type) || sizeOf(shape) === 0) return [];
  // Of several texts or flags nobody knows which one is meant.
  return sizeOf(shape) > 2 && (type === 'string' || type === 'bool') ? [] : [{ name, type, shape }];
}

const inputTypes: readonly string[] = [...tensorTypes, 'bool'];
const isInputType = (type: string | undefined): type is ColumnInput['type'] =>
  type !== undefined && inputTypes.includes(type);
const isOutputType = (type: string | undefined): type is OutputType =>
  (outputTypes as readonly unknown[]).includes(type);
const plain = (name: string) => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
const namesOf = (fields: readonly Field[]) => fields.map(({ name }) => name).join(', ');
