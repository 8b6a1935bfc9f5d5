import { describe, expect, test } from 'vitest';
import { chooseTensors, type ValueFacts } from '../../src/inference/session/metadata.js';

const tensor = (name: string, shape: readonly (number | string)[], type = 'float32'): ValueFacts => ({
  name,
  isTensor: true,
  type,
  shape,
});
const x = tensor('x', ['N', 3]);
const label = tensor('label', ['N'], 'int64');

describe('the choice of a model’s tensors', () => {
  test('takes the probabilities beside a label', () => {
    expect(chooseTensors([x], [label, tensor('probabilities', ['', 2])])).toEqual({
      inputs: [{ name: 'x', type: 'float32', shape: [3] }],
      outputs: ['probabilities'],
    });
  });

  test('takes the one float output, whatever its name', () => {
    expect(chooseTensors([x], [tensor('y', ['N', 1])]).outputs).toEqual(['y']);
  });

  test('takes float16 where nothing is float32', () => {
    const half = tensor('half', ['N', 2], 'float16');
    expect(chooseTensors([tensor('x', ['N', 3], 'float16')], [label, half])).toEqual({
      inputs: [{ name: 'x', type: 'float32', as: 'float16', shape: [3] }],
      outputs: ['half'],
    });
    expect(chooseTensors([x], [half, tensor('y', ['N', 2])]).outputs).toEqual(['y']);
  });

  test('takes the output that is called a probability where there are several', () => {
    const outputs = [tensor('hidden', ['N', 16]), tensor('output_probability', ['N', 2])];
    expect(chooseTensors([x], outputs).outputs).toEqual(['output_probability']);
  });

  test.each<[string, ValueFacts[], ValueFacts[], RegExp, RegExp]>([
    ['no input', [], [tensor('y', ['N', 1])], /takes 0 inputs \(none\)/, /one float32 input/],
    [
      'several inputs',
      [x, tensor('z', ['N', 1])],
      [],
      /takes 2 inputs \('x' float32 \[N, 3\], 'z'/,
      /one float32 input/,
    ],
    ['another number type', [tensor('x', ['N', 3], 'int64')], [], /'x' int64 \[N, 3\]/, /FloatTensorType/],
    ['an image', [tensor('x', ['N', 3, 8, 8])], [], /not float32 \[N, number of features\]/, /FloatTensorType/],
    ['a fixed batch', [tensor('x', [1, 3])], [], /batch axis of fixed length/, /dynamic/],
    ['an open width', [tensor('x', ['N', 'K'])], [], /how many features/, /fixed number/],
    ['a ZipMap', [x], [label, { name: 'output_probability', isTensor: false }], /in a map/, /zipmap/],
    ['a label alone', [x], [label], /not one float32 tensor/, /two dimensions/],
    [
      'two nameless candidates',
      [x],
      [tensor('a', ['N', 2]), tensor('b', ['N', 2])],
      /'a' float32 \[N, 2\], 'b'/,
      /name it/,
    ],
  ])('refuses %s and says what to do', (_, inputs, outputs, message, hint) => {
    expect(() => chooseTensors(inputs, outputs)).toThrow(
      expect.objectContaining({
        code: 'model',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });
});
