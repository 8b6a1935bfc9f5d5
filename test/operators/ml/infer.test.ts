import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import {
  type BatchedLogic,
  clockService,
  type DeadLetter,
  type FeatureVector,
  type InferenceService,
  inferenceService,
  MillraceError,
  type ModelHandle,
  type ModelSpec,
  millis,
  type Origin,
  provide,
  type RowFailure,
  type Services,
  type Sink,
  type Source,
  type StepContext,
  serviceRegistry,
  type Urgency,
} from '../../../src/core/index.js';
import { createInference } from '../../../src/inference/index.js';
import { type InferOptions, type Inferred, infer } from '../../../src/operators/ml/infer.js';
import { type Stream, topology } from '../../../src/topology/topology.js';
import { turning } from '../../inference/onnx.js';

const modelFile = (name: string) => new URL(`../../inference/models/${name}.onnx`, import.meta.url);
const options = {
  model: modelFile('sigmoid'),
  as: 'risk',
  batchMax: 8,
  waitMax: millis(1),
  providers: ['cpu'],
} as const satisfies InferOptions<'risk'>;

const context: StepContext = {
  topology: 'flights',
  step: 'risk',
  task: 0,
  watermarkMs: 0,
  counter: () => ({ add: () => {} }),
  measure: () => {},
  deadLetter: () => {},
  fail: (message) => {
    throw new Error(message);
  },
};

const row = (...dense: number[]): { readonly id: string; readonly features: FeatureVector } => ({
  id: dense.join(),
  features: {
    view: 'flights',
    hash: 'h1',
    dense: Float32Array.from(dense),
    indices: new Uint32Array(),
    values: new Float32Array(),
  },
});
type Row = ReturnType<typeof row>;
const origins: readonly Origin[] = [];

const servicesWith = (inference: InferenceService): Services => ({
  ...serviceRegistry([provide(inferenceService, inference)]),
  progress: () => {},
});

/** Opens the step, works with it, and closes the service again. */
async function withStep(
  changes: Partial<InferOptions<'risk'>>,
  work: (logic: BatchedLogic) => Promise<void>,
): Promise<void> {
  const inference = createInference();
  try {
    const { shape } = infer({ ...options, ...changes });
    if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
    await work(await shape.open(context, servicesWith(inference)));
  } finally {
    await inference.close();
  }
}

describe('infer', () => {
  test('adds the score, the model and who answered, and keeps every field', async () => {
    await withStep({}, async (logic) => {
      const rows = [row(1, 2, 3), row(0, 0, 0)];
      const answers = await logic.onBatch(rows, origins);
      expect(answers).toEqual(
        [1, 2].map((_, i) => ({
          ...rows[i],
          risk: {
            score: expect.closeTo(1 / (1 + Math.exp(-([5, -1][i] ?? 0))), 6),
            model: expect.stringMatching(/^[0-9a-f]{64}$/),
            degraded: null,
          },
        })),
      );
      expect(rows[0]).not.toHaveProperty('risk');
    });
  });

  test('scores the positive class: the last of a classifier’s probabilities', async () => {
    await withStep({ model: modelFile('identity') }, async (logic) => {
      const [answer] = (await logic.onBatch([row(0.1, 0.2, 0.3, 0.75)], origins)) as { readonly risk: Inferred }[];
      expect(answer?.risk.score).toBe(0.75);
    });
  });

  test('answers rows in their order, over several batches and several chunks', async () => {
    await withStep({ model: modelFile('identity') }, async (logic) => {
      const chunks = Array.from({ length: 20 }, (_, chunk) =>
        Array.from({ length: 30 }, (_, i) => row(0, 0, 0, chunk * 30 + i)),
      );
      const answers = chunks.map((chunk) => logic.onBatch(chunk, origins));
      logic.flush?.();
      const scores = (await Promise.all(answers)).flat().map((answer) => (answer as { risk: Inferred }).risk.score);
      expect(scores).toEqual(Array.from({ length: 600 }, (_, i) => i));
    });
  });

  test('sends what the model cannot score to the dead letters, and answers the rest', async () => {
    await withStep({ model: modelFile('table') }, async (logic) => {
      const answers = await logic.onBatch([row(1), row(99), row(2)], origins);
      expect(answers[0]).toMatchObject({ risk: { score: 10 } });
      expect(answers[1]).toMatchObject({ reason: 'inference', detail: expect.stringContaining('out of data bounds') });
      expect(answers[2]).toMatchObject({ risk: { score: 20 } });
    });
  });

  test('takes no score that is not a number', async () => {
    await withStep({ model: modelFile('identity') }, async (logic) => {
      const answers = await logic.onBatch([row(0, 0, 0, Number.NaN), row(0, 0, 0, 1)], origins);
      expect(answers[0]).toEqual({ reason: 'inference', detail: 'the score is NaN' } satisfies RowFailure);
      expect(answers[1]).toMatchObject({ risk: { score: 1 } });
    });
  });

  test('refuses to open with a view that makes another number of features, and names both', async () => {
    const view = { name: 'flights', shape: { denseSize: 5, hashedSize: 0 } };
    await expect(withStep({ view }, async () => {})).rejects.toMatchObject({
      code: 'model',
      where: 'risk',
      message: "the feature view 'flights' has 5 dense features, but the model of step 'risk' takes 3",
    });
    await withStep({ view: { ...view, shape: { denseSize: 3, hashedSize: 9 } } }, async () => {});
  });

  test('stops on features of another length rather than score the wrong numbers', async () => {
    await withStep({}, async (logic) => {
      await expect(logic.onBatch([row(1, 2, 3), row(1, 2)], origins)).rejects.toMatchObject({
        code: 'model',
        message: expect.stringContaining('has 2 dense features'),
      });
    });
  });

  test('says who answered when the first provider is not there', async () => {
    await withStep({ providers: ['tensorrt', 'cpu'] }, async (logic) => {
      const [answer] = (await logic.onBatch([row(1, 2, 3)], origins)) as { readonly risk: Inferred }[];
      expect(answer?.risk.degraded).toBe('cpu');
    });
  });

  test('asks the service for what was declared', async () => {
    const asked: ModelSpec[] = [];
    const inference: InferenceService = {
      open: async (spec) => {
        asked.push(spec);
        throw new Error('enough');
      },
      close: async () => {},
    };
    const { shape } = infer({ ...options, model: 'models/risk.onnx' });
    if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
    await expect(shape.open(context, servicesWith(inference))).rejects.toThrow('enough');
    expect(asked).toMatchObject([{ model: 'models/risk.onnx', batchMax: 8, waitMax: 1, providers: ['cpu'] }]);
  });

  test('describes itself without the path of this machine', () => {
    expect(infer(options).settings).toEqual({
      model: 'sigmoid.onnx',
      as: 'risk',
      batchMax: 8,
      waitMax: 1,
      providers: 'cpu',
    });
    expect(infer({ ...options, model: 'models/risk.onnx' }).settings.model).toBe('models/risk.onnx');
  });

  test('finds its own mistakes before it runs', () => {
    expect(infer(options).problems).toEqual([]);
    const wrong = infer({ ...options, batchMax: 0, waitMax: millis(-1), providers: ['gpu' as 'cpu'] });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'batchMax is 0',
      'waitMax is -1',
      "there is no provider 'gpu'",
    ]);
    const cuda = { name: 'cuda', deviceId: 1, gpuMemLimit: 5 } as const;
    expect(infer({ ...options, providers: [cuda] }).problems?.map(({ message }) => message)).toEqual([
      "the provider 'cuda' has no option 'gpuMemLimit'",
    ]);
    expect(infer({ ...options, providers: [{ name: 'cuda', deviceId: 1 }, 'cpu'] }).settings.providers).toBe(
      'cuda:1, cpu',
    );
    expect(infer({ ...options, providers: [] }).problems?.map(({ message }) => message)).toEqual([
      'no provider is declared',
    ]);
  });
});

describe('infer with a fallback chain', () => {
  let folder: string;
  /** Gives back its only number. */
  let same: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-infer-'));
    same = join(folder, 'same.onnx');
    await writeFile(same, turning());
  });
  afterAll(() => rm(folder, { recursive: true }));

  const risks = async (changes: Partial<InferOptions<'risk'>>, numbers: readonly number[]) => {
    let risks: unknown[] = [];
    await withStep(changes, async (logic) => {
      const answers = await logic.onBatch(
        numbers.map((number) => row(number)),
        origins,
      );
      risks = answers.map((answer) => (answer as { readonly risk?: Inferred }).risk ?? answer);
    });
    return risks as (Inferred & RowFailure)[];
  };
  const rule = { name: 'prior', rule: ({ dense }: FeatureVector) => (dense[0] as number) / 1_000 };

  test('answers with another model where the first one fails, and says so', async () => {
    const [good, bad] = await risks({ model: modelFile('table'), fallback: [{ model: same }] }, [2, 99]);
    expect(good).toMatchObject({ score: 20, degraded: null });
    expect(bad).toMatchObject({ score: 99, degraded: 'same.onnx', reason: 'failed' });
    expect(good).not.toHaveProperty('reason');
    expect(good?.model).not.toBe(bad?.model);
  });

  test('answers with a rule at last, where its score is a number', async () => {
    const [good, bad] = await risks({ model: modelFile('table'), fallback: [rule] }, [2, 99]);
    expect(good).toMatchObject({ score: 20, degraded: null });
    expect(bad).toEqual({ score: 0.099, model: 'prior', degraded: 'prior', reason: 'failed' });
    const wrong = { name: 'wrong', rule: () => Number.NaN };
    expect((await risks({ model: modelFile('table'), fallback: [wrong] }, [99]))[0]).toEqual({
      reason: 'inference',
      detail: "the score of the rule 'wrong' is NaN",
    } satisfies RowFailure);
  });

  test('answers with the last score of the key, if there is one, and else with what comes next', async () => {
    const last = {
      name: 'last',
      lastBy: (value: object) => (value as { readonly id: string }).id[0] as string,
      keysMax: 2,
    };
    // Of these keys, 'a' was scored the longest ago when 'c' comes.
    const rows = [
      [1, 'a1'],
      [99, 'a2'],
      [99, 'b1'],
      [2, 'b2'],
      [98, 'b3'],
      [3, 'c1'],
      [97, 'a3'],
      [96, 'b4'],
    ] as const;
    const ask = async (fallback: NonNullable<InferOptions<'risk'>['fallback']>) => {
      let answers: unknown[] = [];
      await withStep({ model: modelFile('table'), fallback }, async (logic) => {
        const values = rows.map(([number, id]) => ({ ...row(number), id }));
        answers = (await logic.onBatch(values, origins)).map(
          (answer) => (answer as { risk?: Inferred }).risk ?? answer,
        );
      });
      return answers as (Inferred & RowFailure)[];
    };
    const answers = await ask([last, rule]);
    expect(answers.map(({ score, degraded }) => [score, degraded])).toEqual([
      ...[
        [10, null],
        [10, 'last'],
        [0.099, 'prior'],
        [20, null],
        [20, 'last'],
        [30, null],
        [0.097, 'prior'],
        [20, 'last'],
      ],
    ]);
    expect(answers[1]).toMatchObject({ model: answers[0]?.model, reason: 'failed' });
    expect((await ask([last])).map((answer) => answer.score ?? answer.reason)).toEqual([
      ...[10, 10, 'inference', 20, 20, 30, 'inference', 20],
    ]);
  });

  test('answers with last scores where no worker can be kept alive, if there is one for each record', async () => {
    let isLost = false;
    const handle = {
      ...{ inputs: [{ shape: [1] }], outputSize: 1 },
      async run(rows: number) {
        if (isLost) throw new MillraceError('inference', 'lost');
        const ofAll = <T>(value: T) => new Array<T>(rows).fill(value);
        return { scores: new Float32Array(rows), versions: ofAll('v'), failures: new Map(), degraded: ofAll(null) };
      },
    } as unknown as ModelHandle;
    const inference = { open: async () => handle, close: async () => {} } as InferenceService;
    const fallback = [{ name: 'last', lastBy: ({ features }: Row) => features.dense[0] as number, keysMax: 9 }];
    const { shape } = infer({ ...options, fallback });
    if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
    expect(shape.nondeterministic).toBe(true);
    const logic = await shape.open(context, servicesWith(inference));
    await logic.onBatch([row(1)], origins);
    isLost = true;
    expect(await logic.onBatch([row(1), row(1)], origins)).toMatchObject(
      new Array(2).fill({ risk: { score: 0, model: 'v', degraded: 'last', reason: 'unavailable' } }),
    );
    await expect(logic.onBatch([row(1), row(2)], origins)).rejects.toMatchObject({ code: 'inference' });
  });

  test('goes on with what can be opened', async () => {
    const fallback = [{ model: same }];
    expect((await risks({ model: modelFile('not-there'), fallback }, [7]))[0]).toMatchObject({
      score: 7,
      degraded: 'same.onnx',
      reason: 'unavailable',
    });
    const providers = ['tensorrt'] as const;
    expect((await risks({ model: same, providers, fallback: [{ providers: ['cpu'] }] }, [7]))[0]).toMatchObject({
      score: 7,
      degraded: 'cpu',
    });
    await expect(risks({ model: modelFile('not-there'), fallback: [{ providers: ['cpu'] }] }, [7])).rejects.toThrow(
      'cannot be read',
    );
  });

  test('refuses a model that takes something else', async () => {
    const fallback = [{ model: modelFile('identity') }];
    await expect(risks({ model: same, fallback }, [7])).rejects.toMatchObject({
      code: 'model',
      where: 'identity.onnx',
    });
  });

  test('asks a cheap model first, and the dear one where that is unsure', async () => {
    const cascade = { model: same, below: 0, above: 5 };
    const answers = await risks({ model: modelFile('table'), cascade }, [0, 1, 4, 5, 6]);
    expect(answers.map(({ score }) => score)).toEqual([0, 10, 40, 5, 6]);
    const [cheap, dear] = [answers[0]?.model, answers[1]?.model];
    expect(answers.map(({ model }) => model)).toEqual([cheap, dear, dear, cheap, cheap]);
    expect(answers.map(({ degraded }) => degraded)).toEqual([null, null, null, null, null]);
  });

  test('answers with the rule where no worker can be kept alive', async () => {
    const lost = { open: async () => dying, close: async () => {} } as InferenceService;
    const dying = {
      ...{ inputs: [{ shape: [1] }], outputSize: 1 },
      run: () => Promise.reject(new MillraceError('inference', 'lost')),
    } as unknown as ModelHandle;
    const scores = async (changes: Partial<InferOptions<'risk'>>) => {
      const { shape } = infer({ ...options, ...changes });
      if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
      return (await shape.open(context, servicesWith(lost))).onBatch([row(5)], origins);
    };
    expect(await scores({ fallback: [rule] })).toMatchObject([
      { risk: { score: 0.005, degraded: 'prior', reason: 'unavailable' } },
    ]);
    await expect(scores({})).rejects.toMatchObject({ code: 'inference' });
  });

  test('leaves records that would be late to the rule', async () => {
    const changes = { model: same, batchMax: 1, fallback: [rule], deadline: millis(200) } as const;
    // The model makes as many turns of a loop: so many that all of them take longer by far.
    const answers = await risks(changes, new Array<number>(200).fill(20_000));
    expect(answers[0]).toMatchObject({ score: 20_000, degraded: null });
    expect(answers.at(-1)).toMatchObject({ score: 20, degraded: 'prior', reason: 'overloaded' });
  });

  test('asks with the tier and the deadline of each record', async () => {
    const asked: (Urgency | undefined)[] = [];
    const service = {
      open: async () => ({
        ...{ inputs: [{ shape: [1] }], outputSize: 1 },
        run: async (rows: number, _fill: unknown, _bucketOf: unknown, urgency?: Urgency) => {
          asked.push(urgency);
          const [scores, versions] = [new Float32Array(rows), new Array(rows).fill('v')];
          return { scores, versions, failures: new Map(), degraded: new Array(rows).fill(null) };
        },
      }),
      close: async () => {},
    } as unknown as InferenceService;
    const ask = async (changes: Partial<InferOptions<'risk'>>) => {
      const { shape } = infer({ ...options, ...changes });
      if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
      await (await shape.open(context, servicesWith(service))).onBatch([row(5), row(7)], origins);
    };
    await ask({});
    await ask({ tier: 'low', fallback: [rule] });
    await ask({ deadline: ({ features }) => millis(features.dense[0] as number) });
    expect(asked[0]).toBeUndefined();
    expect([asked[1]?.sheds, asked[1]?.tierOf?.(0), asked[1]?.deadlineOf]).toEqual([true, 'low', undefined]);
    expect([asked[2]?.sheds, asked[2]?.deadlineOf?.(0), asked[2]?.deadlineOf?.(1)]).toEqual([false, 5, 7]);
  });

  test('says that the stream is behind from lagMax on, until it is by half of it', async () => {
    const asked: boolean[] = [];
    let nowMs = 0;
    const handle = {
      ...{ inputs: [{ shape: [1] }], outputSize: 1 },
      run: async (rows: number, _fill: unknown, _bucketOf: unknown, urgency?: Urgency) => {
        asked.push(urgency?.isBehind === true);
        const ofAll = <T>(value: T) => new Array<T>(rows).fill(value);
        return { scores: new Float32Array(rows), versions: ofAll('v'), failures: new Map(), degraded: ofAll(null) };
      },
    };
    const inference = { open: async () => handle, close: async () => {} } as unknown as InferenceService;
    const services: Services = {
      ...serviceRegistry([provide(inferenceService, inference), provide(clockService, { nowMs: () => nowMs })]),
      progress: () => {},
    };
    const open = async (changes: Partial<InferOptions<'risk'>>) => {
      const { shape } = infer({ ...options, lagMax: millis(1_000), ...changes });
      if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
      expect(shape.nondeterministic).toBe(true);
      return shape.open(context, services);
    };
    const at = (eventTimeMs: number) => [{ eventTimeMs: eventTimeMs - 5_000 }, { eventTimeMs }] as unknown as Origin[];
    const logic = await open({ cascade: { model: same, below: 0.1, above: 0.9 } });
    for (nowMs of [1_000, 1_001, 900, 501, 500, 900]) await logic.onBatch([row(1), row(2)], at(0));
    expect(asked).toEqual([false, true, true, true, false, false]);
    // With a rule alone, the model is not asked at all.
    const byRule = await open({ fallback: [rule] });
    nowMs = 2_000;
    expect(await byRule.onBatch([row(5)], at(0))).toMatchObject([
      { risk: { score: 0.005, degraded: 'prior', reason: 'behind' } },
    ]);
    expect(asked).toHaveLength(6);
  });

  test('describes how urgent records are, and finds what cannot be', () => {
    const urgency = { tier: 'high', deadline: millis(50), weight: 2, queueMax: 100 } as const;
    expect(infer({ ...options, ...urgency }).settings).toMatchObject({
      tier: 'high',
      deadline: 50,
      weight: 2,
      queueMax: 100,
    });
    expect(infer({ ...options, tier: () => 'low', deadline: () => millis(1) }).settings).toMatchObject({
      ...{ tier: 'by record', deadline: 'by record' },
    });
    expect(infer({ ...options, lagMax: millis(9) }).problems?.map(({ message }) => message)).toEqual([
      'lagMax needs another model that answers instead',
    ]);
    const wrong = { tier: 'urgent' as 'high', deadline: millis(0), weight: 0, queueMax: 0.5 };
    expect(infer({ ...options, ...wrong }).problems?.map(({ message }) => message)).toEqual([
      "there is no tier 'urgent'",
      'deadline is 0',
      'weight is 0',
      'queueMax is 0.5',
    ]);
  });

  test('is deterministic as long as the rows alone decide, on the CPU', () => {
    const isNondeterministic = (changes: Partial<InferOptions<'risk'>>) => {
      const { shape } = infer({ ...options, ...changes });
      return shape.shape === 'batched' && shape.nondeterministic;
    };
    const cascade = { model: 'small.onnx', below: 0.1, above: 0.9 };
    expect(isNondeterministic({ cascade })).toBe(false);
    expect(isNondeterministic({ cascade: { ...cascade, providers: ['cuda', 'cpu'] } })).toBe(true);
    expect(isNondeterministic({ fallback: [{ model: 'small.onnx' }] })).toBe(true);
    expect(isNondeterministic({ fallback: [rule] })).toBe(true);
  });

  test('describes itself, and finds its own mistakes', () => {
    const cascade = { model: 'models/tiny.onnx', below: 0.1, above: 0.9 };
    const fallback = [{ providers: ['cuda', 'cpu'] }, { model: 'models/small.onnx' }, rule] as const;
    const described = infer({ ...options, cascade, fallback });
    expect(described.settings).toMatchObject({
      fallback: 'cuda/cpu, models/small.onnx, prior',
      cascade: 'models/tiny.onnx, unsure above 0.1 and below 0.9',
    });
    expect(described.problems).toEqual([]);
    const last = { name: 'last', lastBy: () => 1, keysMax: 0 };
    const early = infer({ ...options, lagMax: millis(1), fallback: [last] });
    expect(early.settings.fallback).toBe('last');
    expect(early.problems?.map(({ message }) => message)).toEqual([
      'lagMax needs another model that answers instead',
      'keysMax is 0',
    ]);
    expect(
      infer({ ...options, fallback: [{ ...last, keysMax: 1 }, { model: 'small.onnx' }, rule] }).problems,
    ).toMatchObject([{ message: 'a last score stands before a model' }]);
    expect(infer({ ...options, fallback: [{ name: 'prior' } as never] }).problems).toEqual([
      { message: 'fallback[].rule is missing', hint: "give 'prior' a rule, or lastBy; a model has no name" },
    ]);
    const wrong = infer({
      ...options,
      cascade: { ...cascade, above: 0.1, providers: [] },
      fallback: [rule, {}, { providers: ['gpu' as 'cpu'] }],
    });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'a fallback is the same model again',
      "there is no provider 'gpu'",
      'a rule is not the last fallback',
      'no provider is declared',
      'the cascade never asks the model: below is 0.1, above is 0.1',
    ]);
  });
});

interface Scored {
  readonly id: string;
  readonly features: FeatureVector;
}
declare const source: Source<Scored>;
declare const deadLetters: Sink<DeadLetter>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters }, (t) => {
    const scored = t.source('scored', source);
    const risky = scored.via('risk', infer(options));
    expectTypeOf(risky).toExtend<Stream<Scored & { readonly risk: Inferred }>>();
    // @ts-expect-error the name is taken
    risky.via('again', infer(options));
    // @ts-expect-error no such provider
    infer({ ...options, providers: ['gpu'] });
    // @ts-expect-error a bare number is no duration
    infer({ ...options, waitMax: 5 });
  });

test('types flow through infer', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
