import { describe, expect, test } from 'vitest';
import type { ValueFacts } from '../../src/inference/session/metadata.js';
import { chooseNamed, type NamedSpec } from '../../src/inference/session/named-tensors.js';

const tensor = (name: string, shape: readonly (number | string)[], type = 'float32'): ValueFacts => ({
  name,
  isTensor: true,
  type,
  shape,
});
const ids = tensor('input_ids', ['N', 'length'], 'int64');
const mask = tensor('attention_mask', ['N', 'length'], 'int64');
const pixels = tensor('pixels', ['N', 3, 224, 224]);
const hidden = tensor('last_hidden_state', ['N', 'length', 384]);
const text: NamedSpec = { inputs: ['attention_mask', 'input_ids'], lengths: [16, 32] };

describe('the choice of named tensors', () => {
  test('takes inputs in the order in which they are named, of any type', () => {
    expect(chooseNamed([ids, mask], [hidden], text)).toEqual({
      inputs: [
        { name: 'attention_mask', type: 'int64', shape: [null] },
        { name: 'input_ids', type: 'int64', shape: [null] },
      ],
      outputs: ['last_hidden_state'],
    });
    expect(chooseNamed([pixels], [tensor('y', ['N', 10])], { inputs: ['pixels'] }).inputs).toEqual([
      { name: 'pixels', type: 'float32', shape: [3, 224, 224] },
    ]);
  });

  test('takes the only float32 output, or the one that is named', () => {
    const label = tensor('label', ['N'], 'int64');
    const pooled = tensor('sentence_embedding', ['N', 384]);
    expect(chooseNamed([ids, mask], [label, hidden], text).outputs).toEqual(['last_hidden_state']);
    expect(chooseNamed([ids, mask], [hidden, pooled], { ...text, output: 'sentence_embedding' }).outputs).toEqual([
      'sentence_embedding',
    ]);
  });

  test('takes float16 where nothing is float32, or where it is named', () => {
    const half = tensor('half', ['N', 10], 'float16');
    expect(chooseNamed([pixels], [half], { inputs: ['pixels'] }).outputs).toEqual(['half']);
    expect(chooseNamed([pixels], [half, tensor('y', ['N', 10])], { inputs: ['pixels'] }).outputs).toEqual(['y']);
    expect(chooseNamed([pixels], [half, hidden], { inputs: ['pixels'], output: 'half' }).outputs).toEqual(['half']);
  });

  test.each<[string, ValueFacts[], ValueFacts[], NamedSpec, RegExp, RegExp]>([
    ['an input that nothing fills', [ids, mask, pixels], [hidden], text, /nothing fills .*'pixels'/, /every input/],
    ['a name that is none', [ids], [hidden], text, /no input 'attention_mask'/, /'input_ids' int64 \[N, length\]/],
    ['complex numbers', [tensor('z', ['N'], 'complex64')], [hidden], { inputs: ['z'] }, /kind/, /float32, float64/],
    ['a fixed batch', [tensor('pixels', [1, 3])], [hidden], { inputs: ['pixels'] }, /no batch axis/, /dynamic/],
    [
      'open lengths',
      [ids, mask],
      [hidden],
      { inputs: text.inputs },
      /'attention_mask', 'input_ids' may have any length/,
      /lengths: \[/,
    ],
    ['lengths of nothing', [pixels], [hidden], { inputs: ['pixels'], lengths: [1] }, /no axis .* varies/, /leave/],
    [
      'a mask that is no input',
      [ids, mask],
      [hidden],
      { ...text, pooling: { mean: 'mask' } },
      /'mask' is none/,
      /attention_mask/,
    ],
    [
      'a mask of pictures',
      [pixels],
      [hidden],
      { inputs: ['pixels'], pooling: { mean: 'pixels' } },
      /not one number a position/,
      /name/,
    ],
    ['several outputs', [ids, mask], [hidden, tensor('pooled', ['N', 4])], text, /2 outputs of floats/, /output:/],
    [
      'an output that is none',
      [ids, mask],
      [hidden],
      { ...text, output: 'pooled' },
      /no output 'pooled' of floats/,
      /output:/,
    ],
  ])('refuses %s and says what to do', (_, inputs, outputs, spec, message, hint) => {
    expect(() => chooseNamed(inputs, outputs, spec)).toThrow(
      expect.objectContaining({
        code: 'model',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });
});
