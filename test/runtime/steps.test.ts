import { describe, expect, it } from 'vitest';
import type { Chunk, DeadLetter, Origin, SinkWriter, StatefulLogic, Tick } from '../../src/core/index.js';
import { RowFailure } from '../../src/core/index.js';
import type { Measurement } from '../../src/runtime/measures/newest-measures.js';
import {
  runBatched,
  runOnCheckpoint,
  runSplit,
  runStateful,
  runTransform,
  TaskStepContext,
  withoutUnrepresentable,
  written,
} from '../../src/runtime/steps.js';
import { Counters } from '../../src/runtime/task-state.js';
import { originAt } from '../../src/testing/contract.js';

const originOf = (order: number): Origin => ({ ...originAt(order), order });
const chunkOf = (orders: readonly number[], ticks: readonly Tick[] = []): Chunk => ({
  ...{ values: orders.map((order) => `v${order}`), origins: orders.map(originOf), ticks },
});
const tick = (order: number, watermarkMs: number, clockMs?: number): Tick => ({
  ...{ watermarkMs, origin: originOf(order) },
  ...(clockMs === undefined ? {} : { clockMs }),
});

function opened() {
  const outputs = { deadLetters: [] as DeadLetter[], metrics: [] as Measurement[] };
  const counters = new Counters();
  return { context: new TaskStepContext('t', 'step', 2, counters, outputs, 7), counters, ...outputs };
}
const orders = ({ origins }: Chunk) => origins.map(({ order }) => order);

describe('the context of a step', () => {
  it('knows the record of a dead letter and of a failure, and refuses letters of none', () => {
    const { context, counters, deadLetters, metrics } = opened();
    expect(() => context.deadLetter('r', 'd')).toThrow(expect.objectContaining({ code: 'internal', where: 'step' }));
    expect(() => context.fail('no')).toThrow(/^no$/);
    context.origin = originOf(5);
    context.deadLetter('r', 'd');
    expect(deadLetters).toEqual([{ reason: 'r', detail: 'd', step: 'step', origin: context.origin }]);
    expect(counters.of('step', 'dead:r').value).toBe(1);
    expect(() => context.fail('no', 'so')).toThrow(
      expect.objectContaining({ code: 'step', where: 'step', hint: 'so', message: 'no at contract[0]@5' }),
    );
    context.measure('m', 3, 9);
    context.measure('m', 4, 9, { slice: 's', version: 'v', interval: [3, 5], weight: 20 });
    const row = { topology: 't', step: 'step', task: 2, name: 'm', eventTimeMs: 9 };
    expect(metrics).toEqual([
      { row: { ...row, slice: '', version: '', value: 3 }, interval: undefined },
      { row: { ...row, slice: 's', version: 'v', value: 4 }, interval: [3, 5], weight: 20 },
    ]);
  });
});

describe('a step without state', () => {
  it('gives its results the place of the record that they come from', () => {
    const { context } = opened();
    const twice = (value: unknown, emit: (value: unknown) => void) => {
      if (value === 'v2') return;
      emit(value);
      emit(`${value}b`);
    };
    const given = chunkOf([1, 2, 3], [tick(3, 9)]);
    const result = runTransform(twice, context, given);
    expect([result.values, orders(result), result.ticks]).toEqual([
      ['v1', 'v1b', 'v3', 'v3b'],
      [1, 1, 3, 3],
      given.ticks,
    ]);
    const split = runSplit((value, emit, origin) => emit(origin.order % 2, value), 3, context, given);
    expect(split.map(({ values }) => values)).toEqual([['v2'], ['v1', 'v3'], []]);
    expect(split.map((each) => [orders(each), each.ticks])).toEqual([
      [[2], given.ticks],
      [[1, 3], given.ticks],
      [[], given.ticks],
    ]);
  });

  it('that throws fails with the record, unless it says itself what is wrong', () => {
    const { context } = opened();
    const throwing = (value: unknown) => {
      if (value === 'v2') throw new TypeError('odd');
    };
    const failure = expect.objectContaining({ code: 'step', message: 'the step threw: odd at contract[0]@2' });
    expect(() => runTransform(throwing, context, chunkOf([1, 2, 3]))).toThrow(failure);
    expect(() => runSplit(throwing, 1, context, chunkOf([1, 2, 3]))).toThrow(failure);
    expect(() => runTransform(() => context.fail('own'), context, chunkOf([4]))).toThrow('own at contract[0]@4');
  });
});

describe('a step with state', () => {
  /** What it is called with, and the watermark then. */
  function recorded(context: TaskStepContext, timed = true) {
    const calls: string[] = [];
    const logic: StatefulLogic = {
      onRecord(input, value, emit) {
        calls.push(`${input} ${value} ${context.watermarkMs}`);
        emit(value);
      },
      ...(timed && {
        onWatermark(watermarkMs, emit) {
          calls.push(`w${watermarkMs} ${context.origin === undefined}`);
          emit(`w${watermarkMs}`, 99);
        },
        onProcessingTime(clockMs, emit) {
          calls.push(`c${clockMs}`);
          emit(`c${clockMs}`);
        },
      }),
    } as StatefulLogic;
    return { calls, logic };
  }

  it('is told of a watermark behind its record and before the next one', () => {
    const { context } = opened();
    const { calls, logic } = recorded(context);
    const result = runStateful(logic, context, [
      chunkOf([1, 2, 5], [tick(1, 10), tick(2, 20), tick(3, 20, 77), tick(9, 30)]),
    ]);
    expect(calls).toEqual(['0 v1 7', 'w10 true', '0 v2 10', 'w20 true', 'c77', '0 v5 20', 'w30 true']);
    expect(result.values).toEqual(['v1', 'w10', 'v2', 'w20', 'c77', 'v5', 'w30']);
    expect(orders(result)).toEqual([1, 1, 2, 2, 3, 5, 9]);
    // A result with a time of its own is of no record's bytes.
    expect(result.origins[1]).toMatchObject({ eventTimeMs: 99, key: null, raw: null, json: undefined });
    expect(result.origins[4]).toMatchObject({ eventTimeMs: originOf(3).eventTimeMs });
    expect(result.ticks).toHaveLength(4);
    expect(context.watermarkMs).toBe(30);
  });

  it('without timers is told of records alone', () => {
    const { context } = opened();
    const { calls, logic } = recorded(context, false);
    runStateful(logic, context, [chunkOf([1, 2], [tick(1, 10)])]);
    expect(calls).toEqual(['0 v1 7', '0 v2 7']);
  });

  it('gets the records of all inputs in the order of their round', () => {
    const { context } = opened();
    const { calls, logic } = recorded(context);
    const ticks = [tick(3, 10), tick(6, 20)];
    const result = runStateful(logic, context, [chunkOf([1, 4, 5], ticks), chunkOf([2, 3], ticks), chunkOf([], ticks)]);
    expect(calls).toEqual(['0 v1 7', '1 v2 7', '1 v3 7', 'w10 true', '0 v4 10', '0 v5 10', 'w20 true']);
    expect(orders(result)).toEqual([1, 2, 3, 3, 4, 5, 6]);
  });

  it('has further outputs beside the first', () => {
    const { context } = opened();
    const aside = { values: [] as unknown[], origins: [] as Origin[] };
    const logic: StatefulLogic = {
      onRecord: (_, value, emit) => {
        emit(value);
        emit(`${value}!`, undefined, 1);
        emit('nowhere', undefined, 2);
      },
    };
    const result = runStateful(logic, context, [chunkOf([1, 2])], [aside]);
    expect([result.values, aside.values]).toEqual([
      ['v1', 'v2'],
      ['v1!', 'v2!'],
    ]);
    expect(aside.origins.map(({ order }) => order)).toEqual([1, 2]);
  });

  it('that throws fails with the record, or with none at a watermark', () => {
    const { context } = opened();
    const odd = () => {
      throw new TypeError('odd');
    };
    expect(() => runStateful({ onRecord: odd }, context, [chunkOf([2])])).toThrow(
      'the step threw: odd at contract[0]@2',
    );
    const late = { onRecord: () => undefined, onWatermark: odd };
    expect(() => runStateful(late, context, [chunkOf([2], [tick(2, 9)])])).toThrow(/^the step threw: odd$/);
  });
});

describe('a step that holds something back', () => {
  it('is asked for it before a checkpoint, at no record', () => {
    const { context } = opened();
    context.origin = originOf(1);
    const asked: unknown[] = [];
    runOnCheckpoint({ onRecord: () => undefined, onCheckpoint: () => asked.push(context.origin) }, context);
    expect(asked).toEqual([undefined]);
    const odd = () => {
      throw new TypeError('odd');
    };
    expect(() => runOnCheckpoint({ onRecord: odd, onCheckpoint: odd }, context)).toThrow(
      expect.objectContaining({ code: 'step', where: 'step', message: 'the step threw: odd' }),
    );
  });
});

describe('a batched step', () => {
  const batched = (onBatch: (values: readonly unknown[]) => Promise<readonly unknown[]>) => ({ onBatch }) as never;

  it('answers each row, and tells which failed', async () => {
    const { context } = opened();
    const given = chunkOf([1, 2, 3], [tick(3, 9)]);
    const all = await runBatched(
      batched(async (values) => values.map((value) => `${value}!`)),
      context,
      given,
    );
    expect([all.chunk.values, orders(all.chunk), all.chunk.ticks, all.failures]).toEqual([
      ['v1!', 'v2!', 'v3!'],
      [1, 2, 3],
      given.ticks,
      [],
    ]);
    const failure = new RowFailure('r', 'd');
    const some = await runBatched(
      batched(async () => ['a', failure, 'c']),
      context,
      given,
    );
    expect([some.chunk.values, orders(some.chunk), some.chunk.ticks]).toEqual([['a', 'c'], [1, 3], given.ticks]);
    expect(some.failures).toEqual([{ failure, origin: given.origins[1] }]);
  });

  it('is not asked for nothing, and fails where it answers for other rows', async () => {
    const { context } = opened();
    const never = batched(() => Promise.reject(new Error('asked')));
    expect(await runBatched(never, context, chunkOf([]))).toMatchObject({ failures: [] });
    await expect(
      runBatched(
        batched(async () => ['a']),
        context,
        chunkOf([1, 2]),
      ),
    ).rejects.toMatchObject({
      ...{ code: 'step', where: 'step', message: '1 answers for 2 rows' },
    });
    await expect(runBatched(never, context, chunkOf([1]))).rejects.toMatchObject({
      code: 'step',
      message: 'the step threw: asked',
    });
  });
});

describe('a sink', () => {
  const writerOf = (own: Partial<SinkWriter>): SinkWriter => ({
    write: () => undefined,
    close: async () => undefined,
    ...own,
  });

  it('that has no room for a value has its letter, and the others', () => {
    const { context, deadLetters } = opened();
    const given = chunkOf([1, 2, 3], [tick(3, 9)]);
    const writer = writerOf({ unrepresentable: (value) => (value === 'v2' ? 'no room' : undefined) });
    const kept = withoutUnrepresentable(writer, context, given, false);
    expect([kept.values, orders(kept), kept.ticks]).toEqual([['v1', 'v3'], [1, 3], given.ticks]);
    expect(deadLetters).toEqual([
      { reason: 'unrepresentable', detail: 'no room', step: 'step', origin: given.origins[1] },
    ]);
    expect(context.origin).toBeUndefined(); // a later failure is not of this record
    expect(withoutUnrepresentable(writerOf({ unrepresentable: () => undefined }), context, given, false)).toBe(given);
    expect(withoutUnrepresentable(writerOf({}), context, given, false)).toBe(given);
  });

  it('of changes takes back the old value where it has no room for the new one', () => {
    const { context, deadLetters } = opened();
    const changes = [
      { key: 'a', before: 1, after: 2 },
      { key: 'b', before: null, after: 99 },
      { key: 'bad', before: 1, after: 99 },
    ];
    const given: Chunk = { values: changes, origins: [1, 2, 3].map(originOf), ticks: [] };
    const writer = writerOf({
      unrepresentable: (value) => {
        const { key, after } = value as (typeof changes)[number];
        return key === 'bad' || after === 99 ? 'no room' : undefined;
      },
    });
    const kept = withoutUnrepresentable(writer, context, given, true);
    expect(kept.values).toEqual([changes[0], { key: 'b', before: null, after: null }]);
    expect([orders(kept), deadLetters.length]).toEqual([[1, 2], 2]);
  });

  it('whose callback throws is named, with the record where it is known', async () => {
    const { context } = opened();
    const odd = () => {
      throw new TypeError('odd');
    };
    const named = expect.objectContaining({ where: 'step', message: expect.stringContaining('odd') });
    expect(() => withoutUnrepresentable(writerOf({ unrepresentable: odd }), context, chunkOf([2]), false)).toThrow(
      named,
    );
    const sink = expect.objectContaining({ where: 'sink' });
    expect(() => written(writerOf({ write: odd }), 'sink', chunkOf([1]))).toThrow(sink);
    await expect(
      written(writerOf({ write: () => Promise.reject(new TypeError('odd')) }), 'sink', chunkOf([1])),
    ).rejects.toEqual(sink);
    expect(written(writerOf({}), 'sink', chunkOf([1]))).toBeUndefined();
    expect(await written(writerOf({ write: async () => undefined }), 'sink', chunkOf([1]))).toBeUndefined();
  });
});
