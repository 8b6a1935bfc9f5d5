import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import {
  type BatchedLogic,
  type FeatureVector,
  type InferenceService,
  inferenceService,
  millis,
  provide,
  type Source,
  type StepContext,
  serviceRegistry,
  type Tensor,
} from '../../../src/core/index.js';
import { createInference } from '../../../src/inference/index.js';
import { infer } from '../../../src/operators/ml/infer.js';
import type { InferredOutputs } from '../../../src/operators/ml/infer-outputs.js';
import { type Stream, topology } from '../../../src/topology/topology.js';
import { classifier, mixed, thirds } from '../../inference/onnx.js';

const names = ['cat', 'dog', 'Füchsin'];
const limits = { as: 'seen', batchMax: 4, waitMax: millis(1), providers: ['cpu'] } as const;
const all = {
  name: { type: 'string' },
  probabilities: { type: 'float32', shape: [3] },
  top: { type: 'int64' },
  half: { type: 'float16', shape: [3] },
  sure: { type: 'bool', shape: [] },
  whole: { type: 'int64', shape: [3] },
} as const;
const context = { step: 'seen' } as StepContext;

interface Row {
  readonly features: FeatureVector;
}
const row = (...numbers: number[]): Row => ({
  features: {
    ...{ view: 'v', hash: 'h', dense: Float32Array.from(numbers) },
    ...{ indices: new Uint32Array(), values: new Float32Array() },
  },
});

let folder: string;
let model: string;
let inference: InferenceService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-outputs-'));
  model = join(folder, 'classifier.onnx');
  await writeFile(model, classifier(names));
  inference = createInference();
});
afterAll(async () => {
  await inference.close();
  await rm(folder, { recursive: true });
});

const opened = (operator: { readonly shape: unknown }): Promise<BatchedLogic> =>
  (operator.shape as { open(...given: unknown[]): Promise<BatchedLogic> }).open(
    context,
    serviceRegistry([provide(inferenceService, inference)]),
  );
async function answersOf(logic: BatchedLogic, values: readonly unknown[]) {
  const answers = logic.onBatch(values, []);
  logic.flush?.();
  return (await answers) as readonly { readonly seen: InferredOutputs<typeof all> }[];
}

/** The likeliest class of logits, and what is said of it. */
function expected(logits: readonly number[]) {
  const powers = logits.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  const probabilities = powers.map((power) => expect.closeTo(power / sum, 6));
  const top = logits.indexOf(Math.max(...logits));
  const half = logits.map((number) => expect.closeTo(number, 2));
  const sure = Math.max(...powers) / sum > 0.6;
  return { name: names[top], probabilities, top, half, sure, whole: logits.map((number) => Math.trunc(number) + 0) };
}

describe('infer of several outputs', () => {
  const rows = Array.from({ length: 23 }, (_, i) => [Math.sin(i) * 3, Math.cos(i) * 3, Math.sin(2 * i + 1) * 3]);

  test('adds each by its name, as numbers, flags and texts', async () => {
    const logic = await opened(infer({ ...limits, model, outputs: all }));
    const answers = await answersOf(
      logic,
      rows.map((numbers) => row(...numbers)),
    );
    for (const [i, { seen }] of answers.entries()) {
      expect(seen.outputs).toEqual(expected(rows[i] as number[]));
      expect(Object.keys(seen.outputs)).toEqual(Object.keys(all));
      expect(seen).toMatchObject({ model: expect.stringMatching(/^[0-9a-f]{64}$/), degraded: null });
    }
  });

  test('gives the same through a cache, a chain, tensors and a process', async () => {
    const direct = await answersOf(await opened(infer({ ...limits, model, outputs: all })), rows.map(toRow));
    const cacheBytesMax = 1e6;
    const remembered = await opened(infer({ ...limits, model, outputs: all, cacheBytesMax }));
    const twice = [...rows, ...rows].map(toRow);
    expect(await answersOf(remembered, rows.map(toRow))).toEqual(direct);
    expect(await answersOf(remembered, twice)).toEqual([...direct, ...direct]);
    const missing = { ...limits, model: join(folder, 'missing.onnx'), fallback: [{ model }] };
    const byFallback = await answersOf(await opened(infer({ ...missing, outputs: all })), rows.map(toRow));
    expect(byFallback.map(({ seen }) => seen.outputs)).toEqual(direct.map(({ seen }) => seen.outputs));
    expect(byFallback[0]?.seen).toMatchObject({ degraded: 'classifier.onnx', reason: 'unavailable' });
    const inputs = { x: ({ features }: Row): Tensor => ({ shape: [3], data: features.dense }) };
    expect(await answersOf(await opened(infer({ ...limits, model, inputs, outputs: all })), rows.map(toRow))).toEqual(
      direct,
    );
    const inProcess = createInference({ isolation: 'process' });
    try {
      const handle = await inProcess.open({
        ...{ ...limits, model, tensors: { outputs: [{ name: 'name', type: 'string', shape: [] }] } },
      });
      const { discrete, scores } = await handle.run(2, (at, [into], place) =>
        (into as Float32Array).set(rows[at] as number[], place * 3),
      );
      expect(discrete?.flat()).toEqual(direct.slice(0, 2).map(({ seen }) => seen.outputs.name));
      expect(scores).toHaveLength(0);
    } finally {
      await inProcess.close();
    }
  });

  test('sends a row with an integer that no number holds, or with no finite number, to the dead letters', async () => {
    const { whole, half, top } = all;
    const integers = await opened(infer({ ...limits, model, outputs: { top, whole } }));
    const large = await answersOf(integers, [row(1, 2, 3), row(2 ** 60, 0, 0)]);
    expect(large[0]?.seen.outputs).toEqual({ top: 2, whole: [1, 2, 3] });
    expect(large[1]).toMatchObject({
      reason: 'inference',
      detail: "the output 'whole' holds an integer beyond 2^53, which no number is exactly",
    });
    const floats = await opened(infer({ ...limits, model, outputs: { half } }));
    expect(await answersOf(floats, [row(1, 70_000, 3), row(-1, 0.5, 3)])).toMatchObject([
      { reason: 'inference', detail: "the output 'half' holds Infinity" },
      { seen: { outputs: { half: [-1, 0.5, 3] } } },
    ]);
  });

  describe('of texts and of numbers of any type', () => {
    interface Order {
      readonly word: string;
      readonly amount: number;
    }
    const inputs = {
      word: ({ word }: Order): Tensor => ({ shape: [], data: Object.freeze([word]) }),
      amount: ({ amount }: Order): Tensor => ({ shape: [1], data: Float64Array.of(amount) }),
      small: ({ amount }: Order): Tensor => ({ shape: [2], data: Int8Array.of(amount % 100, -amount % 100) }),
      large: ({ amount }: Order): Tensor => ({ shape: [2], data: BigUint64Array.of(BigInt(Math.trunc(amount)), 1n) }),
      sure: ({ amount }: Order): Tensor => ({ shape: [], data: Uint8Array.of(amount % 3) }),
    };
    const outputs = {
      worth: { type: 'float32' },
      same: { type: 'string' },
      third: { type: 'float64', shape: [1] },
      tiny: { type: 'int8', shape: [2] },
      huge: { type: 'uint64', shape: [2] },
      unsure: { type: 'bool' },
    } as const;
    const orders = Array.from({ length: 23 }, (_, i) => ({
      word: ['a', 'Füchsin', ''][i % 3] as string,
      amount: 1 + i,
    }));
    const worth: Readonly<Record<string, number>> = { a: 0.5, Füchsin: 7 };
    let file: string;
    beforeAll(async () => {
      file = join(folder, 'mixed.onnx');
      await writeFile(file, mixed(worth));
    });
    const options = () => ({ ...limits, model: file, inputs, outputs });
    const outputsOf = async (logic: BatchedLogic, values: readonly Order[]) =>
      (await answersOf(logic, values)).map((answer) => answer.seen?.outputs ?? answer);
    const expected = orders.map(({ word, amount }) => ({
      ...{ worth: worth[word] ?? -0, same: word, third: [amount / 3] },
      ...{ tiny: [amount, -amount], huge: [amount, 1], unsure: amount % 3 === 0 },
    }));

    test('keeps each value with its record, and every bit of a float64', async () => {
      expect(await outputsOf(await opened(infer(options())), orders)).toEqual(expected);
    });

    test('gives the same through a cache, a chain and a process', async () => {
      const cached = await opened(infer({ ...options(), cacheBytesMax: 1e6 }));
      expect(await outputsOf(cached, [...orders, ...orders])).toEqual([...expected, ...expected]);
      expect(await outputsOf(cached, orders)).toEqual(expected);
      const missing = { ...options(), model: join(folder, 'missing.onnx'), fallback: [{ model: file }] };
      expect(await outputsOf(await opened(infer(missing)), orders)).toEqual(expected);
      const inProcess = createInference({ isolation: 'process' });
      try {
        const services = serviceRegistry([provide(inferenceService, inProcess)]);
        const { shape } = infer(options()) as { shape: { open(...given: unknown[]): Promise<BatchedLogic> } };
        expect(await outputsOf(await shape.open(context, services), orders)).toEqual(expected);
      } finally {
        await inProcess.close();
      }
    });

    test('leaves a float64 that is no number to the next of the chain, and to the dead letters', async () => {
      const bad = [
        { word: 'a', amount: 3 },
        { word: 'b', amount: Number.POSITIVE_INFINITY },
      ];
      const small = { ...inputs, small: inputs.word, large: inputs.word };
      const only = { third: outputs.third };
      const finite = (value: Order) => ({ ...value, amount: Number.isFinite(value.amount) ? value.amount : 0 });
      const safe = {
        ...small,
        small: (o: Order) => inputs.small(finite(o)),
        large: (o: Order) => inputs.large(finite(o)),
      };
      const logic = await opened(infer({ ...options(), inputs: safe, outputs: only }));
      expect(await outputsOf(logic, bad)).toMatchObject([
        { third: [1] },
        { reason: 'inference', detail: "the output 'third' holds Infinity" },
      ]);
      const again = { ...options(), inputs: safe, outputs: only, fallback: [{ providers: ['cpu'] }] } as const;
      const chained = await opened(infer(again));
      expect(await outputsOf(chained, bad)).toMatchObject([{ third: [1] }, { reason: 'inference' }]);
    });

    test('takes features to float64, and scores back to the nearest float32', async () => {
      const exact = join(folder, 'thirds.onnx');
      await writeFile(exact, thirds(3));
      const values = rows.map(toRow);
      const scores = await answersOf(await opened(infer({ ...limits, model: exact })), values);
      const outputs = { y: { type: 'float64', shape: [3] } } as const;
      const all = await answersOf(await opened(infer({ ...limits, model: exact, outputs })), values);
      for (const [i, { features }] of values.entries()) {
        const third = Array.from(features.dense, (number) => number / 3);
        expect(scores[i]?.seen).toMatchObject({ score: Math.fround(third[2] as number), degraded: null });
        expect(all[i]?.seen.outputs).toEqual({ y: third });
      }
    });

    test('sends a record without a text to the dead letters, and answers the others', async () => {
      const missing = { ...inputs, word: ({ word }: Order) => ({ shape: [], data: [word || (null as never)] }) };
      const logic = await opened(infer({ ...options(), inputs: missing }));
      const [first] = await outputsOf(logic, orders);
      expect(await outputsOf(logic, [{ word: '', amount: 1 }, ...orders])).toMatchObject([
        { reason: 'inference', detail: "the input 'word' takes string [], not another array [] of 1 values" },
        first,
        ...orders.slice(1).map(() => expect.anything()),
      ]);
    });

    test('refuses texts where numbers are due', async () => {
      const texts = { ...inputs, amount: () => ({ shape: [1], data: ['1'] }) };
      const other = await opened(infer({ ...options(), inputs: texts }));
      await expect(other.onBatch(orders, [])).rejects.toThrow(/takes float64 \[1\], not string \[1\]/);
    });
  });

  test.each<[string, Parameters<typeof infer>[0], RegExp, RegExp]>([
    ['a name that is none', { no: { type: 'int64' } } as never, /no output 'no'/, /it has 'probabilities' float32/],
    [
      'another type',
      { top: { type: 'string' } } as never,
      /'top' int64 \[N\], not string \[N\]/,
      /type: 'int64', shape: \[\]/,
    ],
    [
      'another size',
      { probabilities: { type: 'float32', shape: [2] } } as never,
      /'probabilities' float32 \[N, 3\], not float32 \[N, 2\]/,
      /shape: \[3\]/,
    ],
    [
      'axes that are not there',
      { name: { type: 'string', shape: [1] } } as never,
      /string \[N\], not string \[N, 1\]/,
      /\[\]/,
    ],
  ])('refuses %s when the model is loaded, and says what it has', async (_, outputs, message, hint) => {
    await expect(opened(infer({ ...limits, model, outputs: outputs as never }))).rejects.toMatchObject({
      code: 'model',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  test('stops on features of which the model takes another number, with what makes them', async () => {
    const logic = await opened(infer({ ...limits, model, outputs: all }));
    await expect(logic.onBatch([toRow([1, 2])], [])).rejects.toMatchObject({
      code: 'model',
      message: expect.stringMatching(/has 2 dense features, but the model of step '.*' takes 3/),
    });
  });

  test('refuses a view that makes another number of features', async () => {
    const view = { name: 'pets', shape: { denseSize: 5, hashedSize: 0 } };
    await expect(opened(infer({ ...limits, model, view, outputs: all }))).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining("'pets' has 5 dense features"),
    });
  });

  test('describes itself, and finds its own mistakes before it runs', () => {
    const described = infer({ ...limits, model: 'm.onnx', outputs: all });
    expect(described.settings).toMatchObject({
      outputs: 'name string, probabilities float32 [3], top int64, half float16 [3], sure bool, whole int64 [3]',
    });
    expect(described.problems).toEqual([]);
    const outputs = { a: { type: 'float128' as 'float32', shape: [0] } };
    const wrong = infer({ ...limits, model: 'm.onnx', outputs, lagMax: millis(1) });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'lagMax needs another model that answers instead',
      "the output 'a' is of type 'float128'",
      "the output 'a' has the shape [0]",
    ]);
    const others = {
      cascade: { model: 's.onnx', below: 0.1, above: 0.9 },
      lengths: [2],
      output: 'top',
      normalize: true,
    };
    const misplaced = infer({ ...limits, model: 'm.onnx', outputs: all, ...others } as Parameters<typeof infer>[0]);
    expect(misplaced.problems).toEqual([
      { message: 'cascade does nothing beside outputs', hint: 'leave cascade out' },
      { message: 'lengths does nothing without inputs', hint: 'leave lengths out, or name the inputs of the model' },
      { message: 'output does nothing without inputs', hint: 'leave output out, or name the inputs of the model' },
      {
        message: 'normalize does nothing without inputs',
        hint: 'leave normalize out, or name the inputs of the model',
      },
    ]);
    const addresses = infer({
      ...{ ...limits, model: new URL('https://models.example/m.onnx'), outputs: all },
      fallback: [
        { model: 'file:///models/m.onnx' },
        { model: new URL('file:///models/m.onnx') },
        { model: 'c:/m.onnx' },
      ],
    });
    expect(addresses.problems).toEqual([
      {
        message: 'the model is an address, not a file: https://models.example/m.onnx',
        hint: expect.stringContaining("{ name: 'remote', url }"),
      },
      {
        message: 'the model is an address, not a file: file:///models/m.onnx',
        hint: "give a path, or new URL('file:///models/m.onnx')",
      },
    ]);
    const nothing = infer({ ...limits, model: 'm.onnx', inputs: {}, lengths: [2, 1], outputs: {} });
    expect(nothing.problems?.map(({ message }) => message)).toEqual(['lengths are 2, 1', 'no inputs', 'no outputs']);
  });
});

const toRow = (numbers: readonly number[]) => row(...numbers);

declare const source: Source<Row & { readonly id: string; readonly pixels: Tensor<Float32Array> }>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters: undefined as never }, (t) => {
    const pets = t.source('pets', source);
    const seen = pets.via('seen', infer({ ...limits, model: 'm.onnx', outputs: all }));
    expectTypeOf(seen).toExtend<
      Stream<{
        readonly id: string;
        readonly seen: {
          readonly outputs: {
            readonly name: string;
            readonly probabilities: readonly number[];
            readonly top: number;
            readonly half: readonly number[];
            readonly sure: boolean;
            readonly whole: readonly number[];
          };
          readonly model: string;
          readonly degraded: string | null;
        };
      }>
    >();
    const outputs = { label: { type: 'string' } } as const;
    const byPixels = pets.via(
      'pixels',
      infer({ ...limits, model: 'm.onnx', inputs: { pixels: (p) => p.pixels }, outputs }),
    );
    expectTypeOf(byPixels).toExtend<Stream<{ readonly seen: { readonly outputs: { readonly label: string } } }>>();
    // @ts-expect-error no such type
    infer({ ...limits, model: 'm.onnx', outputs: { label: { type: 'text' } } });
    // @ts-expect-error a cascade goes by one score
    infer({ ...limits, model: 'm.onnx', outputs, cascade: { model: 's.onnx', below: 0.1, above: 0.9 } });
  });

test('types flow through infer of several outputs', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
