import { type ModelInput, type TensorSpec, type TensorType, tensorTypes } from '../../core/index.js';
import {
  conversionOf,
  floatOutputs,
  holdsFloats,
  list,
  type ModelTensors,
  refuse,
  text,
  type ValueFacts,
} from './metadata.js';

/**
 * Picks the inputs and the output that a step names. Inputs are numbers or texts. Their first
 * axis is the batch; the others are fixed or, all together, of one of the declared lengths. The output holds floats.
 *
 * Throws `MillraceError('model')` with a hint for anything else.
 */
export function chooseNamed(
  inputs: readonly ValueFacts[],
  outputs: readonly ValueFacts[],
  spec: NamedSpec,
): ModelTensors {
  return { inputs: chooseInputs(inputs, spec), outputs: [outputOf(outputs, spec)] };
}

/** Whose inputs are named. */
export type NamedSpec = TensorSpec & Required<Pick<TensorSpec, 'inputs'>>;

export function chooseInputs(inputs: readonly ValueFacts[], spec: NamedSpec): readonly ModelInput[] {
  const unfilled = inputs.filter(({ name }) => !spec.inputs.includes(name));
  if (unfilled.length > 0)
    refuse(`nothing fills the model's input ${list(unfilled)}`, 'name every input of the model in `inputs`');
  const chosen = spec.inputs.map((name) => {
    const facts = inputs.find((input) => input.name === name);
    return facts ? inputOf(facts) : refuse(`the model has no input '${name}'`, `it has ${list(inputs)}`);
  });
  checkLengths(chosen, spec);
  checkPooling(chosen, spec);
  return chosen;
}

function inputOf(facts: ValueFacts): ModelInput {
  const { name, shape = [] } = facts;
  const type = holdsFloats(facts) ? 'float32' : facts.type === 'bool' ? 'uint8' : facts.type;
  const [batch, ...axes] = shape;
  if (!isKnown(type)) {
    return refuse(
      `the model's input ${text(facts)} holds values of a kind that no tensor has here`,
      `export it with one of ${tensorTypes.join(', ')}, float16, bool`,
    );
  }
  if (typeof batch !== 'string') {
    return refuse(
      `the model's input ${text(facts)} has no batch axis of varying length`,
      'export it with a dynamic first axis, e.g. torch.onnx.export(..., dynamic_axes={"input_ids": {0: "N"}})',
    );
  }
  return { name, type, ...conversionOf(facts), shape: axes.map((axis) => (typeof axis === 'number' ? axis : null)) };
}

const isKnown = (type: string | undefined): type is TensorType => (tensorTypes as readonly unknown[]).includes(type);

function checkLengths(inputs: readonly ModelInput[], { lengths }: TensorSpec): void {
  const varying = inputs.filter(({ shape }) => shape.includes(null)).map(({ name }) => `'${name}'`);
  if (varying.length > 0 && lengths === undefined) {
    refuse(
      `rows of the model's input ${varying.join(', ')} may have any length`,
      'give the lengths that occur, such as lengths: [32, 64, 128], and create tensors of these lengths (`encodeTokens` does)',
    );
  }
  if (varying.length === 0 && lengths !== undefined)
    refuse('lengths are given, and no axis of the model varies', 'leave `lengths` out');
}

function checkPooling(inputs: readonly ModelInput[], { pooling }: TensorSpec): void {
  if (typeof pooling !== 'object') return;
  const mask = inputs.find(({ name }) => name === pooling.mean);
  if (mask === undefined || mask.shape.length !== 1 || mask.type === 'string') {
    refuse(
      `the mask '${pooling.mean}' is ${mask ? 'not one number a position' : 'none of the inputs'}`,
      "name the input that marks the positions that count, e.g. pooling: { mean: 'attention_mask' }",
    );
  }
}

function outputOf(outputs: readonly ValueFacts[], { output }: TensorSpec): string {
  const usable = floatOutputs(output === undefined ? outputs : outputs.filter(({ name }) => name === output));
  const [found, ...others] = usable;
  if (found !== undefined && others.length === 0) return found.name;
  return refuse(
    output === undefined
      ? `the model has ${usable.length} outputs of floats (${list(outputs)}), not one`
      : `the model has no output '${output}' of floats (${list(outputs)})`,
    'name the one to take: output: ..., or several: outputs: { ... }',
  );
}
