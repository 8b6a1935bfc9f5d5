import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { OutputType } from '../../../src/core/index.js';
import {
  decodeAnswer,
  decodeMetadata,
  encodeRequest,
  errorText,
  type HttpAnswer,
  type InferInput,
} from '../../../src/inference/remote/protocol.js';
import type { RawOutput } from '../../../src/inference/session/declared-outputs.js';
import { generator } from '../../random.js';

interface Golden {
  readonly request: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body: string;
}

/** Written by `benchmarks/peers/inference_requests.py` with NVIDIA's client. */
const golden = JSON.parse(readFileSync(new URL('golden/tritonclient.json', import.meta.url), 'utf8')) as {
  readonly requests: readonly Golden[];
};

const floats: InferInput = {
  ...{ name: 'x', type: 'float32', shape: [2, 3] },
  data: Float32Array.from({ length: 6 }, (_, i) => i / 8 - 0.25),
};
const ids: InferInput = {
  name: 'input_ids',
  type: 'int64',
  shape: [1, 4],
  data: BigInt64Array.of(1n, 2n ** 40n, -3n, 0n),
};
const mask: InferInput = { name: 'attention_mask', type: 'int32', shape: [1, 4], data: Int32Array.of(1, 1, 0, 0) };
const pixels: InferInput = {
  ...{ name: 'ein Bild', type: 'uint8', shape: [1, 2, 2, 3] },
  data: Uint8Array.from({ length: 12 }, (_, i) => i),
};
const words: InferInput = { name: 'word', type: 'string', shape: [3], data: ['nein', 'Füchsin "a"', ''] };
const amounts: InferInput = {
  ...{ name: 'amount', type: 'float64', shape: [3, 1] },
  data: Float64Array.of(1 / 3, -2, 1e300),
};
const flags: InferInput = { name: 'on', type: 'uint8', as: 'bool', shape: [1, 3], data: Uint8Array.of(1, 0, 7) };

describe('a request', () => {
  const cases = [true, false].flatMap((isBinary) =>
    [[floats], [ids, mask], [pixels], [words, amounts], [flags]].map((inputs) => ({ inputs, isBinary })),
  );
  test.each(cases.map((each, i) => ({ ...each, i })))(
    'is what NVIDIA’s client sends: $i',
    ({ inputs, isBinary, i }) => {
      const { headers, body, request } = golden.requests[i] as Golden;
      const { parts, jsonBytes } = encodeRequest({ inputs, outputs: ['scores'], isBinary });
      const sent = Buffer.from(body, 'base64');
      if (isBinary) expect(Buffer.concat(parts).equals(sent)).toBe(true);
      // Its JSON of floats has as many digits as Python likes; the numbers are the same.
      else expect(JSON.parse(Buffer.concat(parts).toString())).toEqual(JSON.parse(sent.toString()));
      expect(headers['inference-header-content-length']).toBe(jsonBytes === undefined ? undefined : `${jsonBytes}`);
      expect(request).toBe('POST /v2/models/risk/versions/3/infer HTTP/1.1');
    },
  );

  test('may begin anywhere in a buffer', () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const { parts } = encodeRequest({ inputs: [{ ...floats, shape: [1, 2], data }], outputs: ['y'], isBinary: true });
    expect(Array.from(new Float32Array(new Uint8Array(parts[1] as Uint8Array).buffer))).toEqual([1, 2]);
  });

  test('has the floats of a model of float16 as such', () => {
    const half = { ...floats, as: 'float16', shape: [1, 2], data: Float32Array.of(0.5, -2) } as const;
    const { parts } = encodeRequest({ inputs: [half], outputs: ['y'], isBinary: true });
    const { inputs } = JSON.parse(`${Buffer.from(parts[0] as Uint8Array)}`) as { readonly inputs: unknown };
    expect(inputs).toEqual([{ name: 'x', shape: [1, 2], datatype: 'FP16', parameters: { binary_data_size: 4 } }]);
    expect([...(parts[1] as Uint8Array)]).toEqual([0x00, 0x38, 0x00, 0xc0]);
    const told = encodeRequest({ inputs: [half], outputs: ['y'], isBinary: false });
    expect(JSON.parse(`${Buffer.concat(told.parts)}`)).toMatchObject({
      inputs: [{ datatype: 'FP16', data: [0.5, -2] }],
    });
  });

  test('as JSON has a zero below zero as such', () => {
    for (const data of [Float32Array.of(-0, 0, 1), Float64Array.of(-0, 0, 1)]) {
      const type = data instanceof Float32Array ? 'float32' : 'float64';
      const input: InferInput = { name: 'x', type, shape: [1, 3], data };
      const { parts } = encodeRequest({ inputs: [input], outputs: ['y'], isBinary: false });
      const said = JSON.parse(`${Buffer.concat(parts)}`) as { inputs: [{ data: number[] }] };
      expect(said.inputs[0].data).toEqual([-0, 0, 1]);
      expect(`${Buffer.concat(parts)}`).toContain('[-0.0,');
    }
  });

  test('as JSON has the numbers exactly, and no others than JSON knows', () => {
    const random = generator(3);
    const data = Float32Array.from({ length: 1_000 }, () => (random() - 0.5) * 10 ** Math.floor(random() * 60 - 30));
    const { parts } = encodeRequest({ inputs: [{ ...floats, data }], outputs: ['y'], isBinary: false });
    const said = JSON.parse(Buffer.concat(parts).toString()) as { inputs: [{ data: number[] }] };
    expect(Float32Array.from(said.inputs[0].data)).toEqual(data);
    const infinite = { ...floats, data: Float32Array.of(1, Number.POSITIVE_INFINITY) };
    expect(() => encodeRequest({ inputs: [infinite], outputs: ['y'], isBinary: false })).toThrow('not finite');
    const nan = { ...amounts, data: Float64Array.of(Number.NaN) };
    expect(() => encodeRequest({ inputs: [nan], outputs: ['y'], isBinary: false })).toThrow('not finite');
  });
});

describe('an answer', () => {
  const outputs = new Map<string, OutputType>([['scores', 'float32']]);
  const expected = { model: 'risk', version: '3', outputs, rows: 2 };
  const scoresOf = (answer: HttpAnswer) => decodeAnswer(answer, expected).scores as RawOutput;
  const json = (outputs: unknown, more: object = {}) => {
    const body = Buffer.from(JSON.stringify({ model_name: 'risk', model_version: '3', outputs, ...more }));
    return { status: 200, jsonBytes: undefined, body };
  };
  const scores = { name: 'scores', datatype: 'FP32', shape: [2, 1] };

  test('has numbers flat or nested, and `null` for those that are not finite', () => {
    expect(scoresOf(json([{ ...scores, data: [0.5, null] }]))).toEqual({
      dims: [2, 1],
      data: Float32Array.of(0.5, Number.NaN),
    });
    expect(scoresOf(json([{ ...scores, data: [[0.5], [1]] }])).data).toEqual(Float32Array.of(0.5, 1));
  });

  test('has the bytes of its outputs in their order', () => {
    const outputs = [
      { name: 'label', datatype: 'INT64', shape: [2, 1], parameters: { binary_data_size: 16 } },
      { name: 'told', datatype: 'INT64', shape: [2, 1], data: [0, 1] },
      { ...scores, parameters: { binary_data_size: 8 } },
    ];
    const head = json(outputs).body;
    const numbers = Buffer.from(Float32Array.of(0.25, 0.75).buffer);
    const body = Buffer.concat([head, Buffer.alloc(16), numbers]);
    const answer = { status: 200, jsonBytes: head.length, body };
    expect(scoresOf(answer).data).toEqual(Float32Array.of(0.25, 0.75));
    expect(() => decodeAnswer({ ...answer, body: body.subarray(0, -1) }, expected)).toThrow(
      '8 bytes is announced, and 7',
    );
  });

  test('has several outputs, of numbers, flags and texts', () => {
    const texts = Buffer.from('\u0004\0\0\0nein\u0003\0\0\0\u00e4!', 'utf8');
    const types = { scores: 'float16', label: 'string', id: 'int64', sure: 'bool', third: 'float64' } as const;
    const wanted = { ...expected, outputs: new Map<string, OutputType>(Object.entries(types)) };
    const parts = [
      ['label', 'BYTES', texts],
      ['scores', 'FP16', Uint8Array.of(0x00, 0x38, 0x00, 0x3c)],
      ['id', 'INT64', new Uint8Array(BigInt64Array.of(7n, -1n).buffer)],
      ['sure', 'BOOL', Uint8Array.of(1, 0)],
      ['third', 'FP64', new Uint8Array(Float64Array.of(1 / 3, Number.NaN).buffer)],
    ] as const;
    const head = json(
      parts.map(([name, datatype, { length }]) => ({
        ...{ name, datatype, shape: [2], parameters: { binary_data_size: length } },
      })),
    ).body;
    const body = Buffer.concat([head, ...parts.map(([, , bytes]) => bytes)]);
    const answered = decodeAnswer({ status: 200, jsonBytes: head.length, body }, wanted);
    expect(answered).toEqual({
      label: { dims: [2], data: ['nein', '\u00e4!'] },
      scores: { dims: [2], data: Uint16Array.of(0x3800, 0x3c00) },
      id: { dims: [2], data: BigInt64Array.of(7n, -1n) },
      sure: { dims: [2], data: Uint8Array.of(1, 0) },
      third: { dims: [2], data: Float64Array.of(1 / 3, Number.NaN) },
    });
    const told = json([
      { name: 'label', datatype: 'BYTES', shape: [2], data: ['nein', '\u00e4!'] },
      { name: 'scores', datatype: 'FP16', shape: [2], data: [0.5, 1] },
      { name: 'id', datatype: 'INT64', shape: [2], data: [7, -1] },
      { name: 'sure', datatype: 'BOOL', shape: [2], data: [true, false] },
      { name: 'third', datatype: 'FP64', shape: [2], data: [1 / 3, null] },
    ]);
    expect(decodeAnswer(told, wanted)).toMatchObject({
      label: { data: ['nein', '\u00e4!'] },
      scores: { data: Float32Array.of(0.5, 1) },
      id: { data: Float64Array.of(7, -1) },
      sure: { data: Float64Array.of(1, 0) },
      third: { data: Float64Array.of(1 / 3, Number.NaN) },
    });
    expect(() => decodeAnswer(json([{ ...scores, datatype: 'FP16', data: [0, 1] }]), wanted)).toThrow(
      "has no output 'label'",
    );
    const cut = json([{ name: 'label', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 13 } }]).body;
    expect(() =>
      decodeAnswer({ status: 200, jsonBytes: cut.length, body: Buffer.concat([cut, texts.subarray(0, 13)]) }, wanted),
    ).toThrow('a text is cut off');
  });

  test('need not say who answers, and does not lie about it', () => {
    const silent = json([{ ...scores, data: [0, 1] }], { model_name: undefined, model_version: null });
    expect(scoresOf(silent).dims).toEqual([2, 1]);
    const other = json([{ ...scores, data: [0, 1] }], { model_version: 4 });
    expect(() => decodeAnswer(other, expected)).toThrow("version '4'");
  });

  test.each([
    ['no JSON', { status: 200, jsonBytes: undefined, body: Buffer.from('{') }],
    ['nothing', { status: 200, jsonBytes: undefined, body: Buffer.from('null') }],
    ['no output', json([null])],
    ['words', json([{ ...scores, data: ['a', 'b'] }])],
    ['no data', json([scores])],
    ['a negative size', json([{ ...scores, parameters: { binary_data_size: -8 } }])],
    ['a broken shape', json([{ ...scores, shape: [2, 0.5], data: [1] }])],
    ['no shape', json([{ ...scores, shape: undefined, data: [1, 2] }])],
  ])('with %s is refused', (_, answer) => {
    expect(() => decodeAnswer(answer, expected)).toThrow(expect.objectContaining({ name: 'WrongAnswer' }));
  });

  test('survives any bytes', () => {
    const random = generator(11);
    const whole = json([{ ...scores, data: [0.5, 1] }]).body;
    for (let i = 0; i < 2_000; i++) {
      const body = Buffer.from(whole);
      for (let changes = 0; changes < 3; changes++)
        body[Math.floor(random() * body.length)] = Math.floor(random() * 256);
      try {
        const { dims, data } = scoresOf({ status: 200, jsonBytes: undefined, body });
        expect(data.length).toBe(dims.reduce((product, axis) => product * axis, 1));
      } catch (error) {
        expect(error).toMatchObject({ name: 'WrongAnswer' });
      }
    }
  });

  test('that is an error says why', () => {
    const of = (body: string) => errorText({ status: 400, jsonBytes: undefined, body: Buffer.from(body) });
    expect(of('{"error":"no such row"}')).toBe('400: no such row');
    expect(of('{"detail":[{"msg":"bad"}]}')).toBe('400: [{"msg":"bad"}]');
    expect(of('plain')).toBe('400: plain');
    expect(of('x'.repeat(1_000))).toHaveLength(300);
  });
});

test('metadata are read with the highest version', () => {
  const of = (metadata: unknown) => decodeMetadata(Buffer.from(JSON.stringify(metadata)));
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }];
  const outputs = [{ name: 'y', datatype: 'BF16', shape: ['-1', '1'] }];
  expect(of({ inputs, outputs, versions: ['9', '10'] })).toEqual({
    inputs: [{ name: 'x', isTensor: true, type: 'float32', shape: ['', 3] }],
    outputs: [{ name: 'y', isTensor: true, type: 'BF16', shape: ['', 1] }],
    version: '10',
  });
  expect(of({ inputs, outputs, versions: null }).version).toBeUndefined();
  expect(() => of({ inputs: [{}], outputs })).toThrow('no name or shape');
  expect(() => of(null)).toThrow('no inputs and outputs');
});
