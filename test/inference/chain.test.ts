import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { MillraceError, type ModelHandle, type TensorData } from '../../src/core/index.js';
import { cascade, checkAlike, fallbackChain, inOrder, type Link, noAnswers } from '../../src/inference/chain.js';
import { modelBreaker } from '../../src/inference/model-breaker.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Fake {
  /** The score of a row's number; a text is why it fails. */
  readonly of: (number: number) => number | string;
  readonly outputSize?: number;
  /** Rejects calls with this. */
  error?: Error | undefined;
  /** How many turns a call takes. */
  readonly turns?: number;
  readonly degraded?: string;
}

/** A model that remembers which numbers it was asked about. */
function fake(version: string, { of, outputSize = 1, turns = 1, degraded, ...fake }: Fake) {
  const asked: number[][] = [];
  const flushed: string[] = [];
  const sheds: (boolean | undefined)[] = [];
  const state: { error: Error | undefined; checkError: Error | undefined; slowness: number; checks: number } = {
    ...{ error: fake.error, checkError: undefined, slowness: 1, checks: 0 },
  };
  const handle: ModelHandle = {
    ...{ inputs: [{ name: 'x', type: 'float32', shape: [1] }], lengths: [1], outputSize, provider: 'cpu', version },
    async run(rows, fill, _, urgency) {
      sheds.push(urgency?.sheds);
      const numbers = new Float32Array(rows);
      for (let row = 0; row < rows; row++) fill(row, [numbers], row);
      asked.push([...numbers]);
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (state.error) throw state.error;
      const answers = [...numbers].map(of);
      const scores = new Float32Array(rows * outputSize);
      for (const [row, answer] of answers.entries())
        scores.fill(typeof answer === 'number' ? answer : 0, row * outputSize, (row + 1) * outputSize);
      const failures = new Map(answers.flatMap((answer, row) => (typeof answer === 'string' ? [[row, answer]] : [])));
      const nobody = new Array<string | null>(rows).fill(degraded ?? null);
      return { scores, failures, degraded: nobody, versions: new Array<string>(rows).fill(version) };
    },
    flush: () => void flushed.push(version),
    async check() {
      state.checks++;
      if (state.checkError) throw state.checkError;
    },
    stats: () => ({
      sizes: [],
      ...{ notFinite: 0, checks: 0, wrongChecks: 0, answerMs: { p50: 2, p99: 9 }, slowness: state.slowness },
      ...{ rows: 0, failed: 0, late: 0, waiting: 0, batches: 0, lost: 0, workerMs: 0, batchRows: [1], runRows: [1] },
      shed: { high: 0, normal: 0, low: 0 },
      ...{ loads: 1, loadMs: 1, evictions: 0, residentBytes: 0 },
    }),
  };
  return { handle, asked, flushed, sheds, state };
}

let nowMs = 0;
const clock = { nowMs: () => nowMs };
const named = { ...clock, name: 'cheap.onnx' };
const linkOf = (handle: ModelHandle, name?: string): Link => ({
  handle,
  name,
  breaker: modelBreaker({ nowMs: () => nowMs, random: () => 1 }),
  isInMemory: () => true,
});
const ask = (model: ModelHandle, numbers: readonly number[]) =>
  model.run(numbers.length, (row, [into], place) => {
    (into as Float32Array)[place] = numbers[row] as number;
  });
const gone = () => new MillraceError('inference', 'lost 25 times in a row');

describe('a fallback chain', () => {
  test('leaves a call to the first model that this one answers', async () => {
    const [main, other] = [fake('m', { of: (n) => n * 2 }), fake('o', { of: () => 9 })];
    const chain = fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o.onnx')], clock);
    expect(await ask(chain, [1, 2])).toMatchObject({
      scores: Float32Array.of(2, 4),
      degraded: [null, null],
      versions: ['m', 'm'],
    });
    expect(other.asked).toEqual([]);
  });

  test('asks the next one about the rows that fail or are not finite, and says of each row who answered', async () => {
    const main = fake('m', { of: (n) => (n === 2 ? 'out of bounds' : n === 3 ? Number.NaN : n) });
    const second = fake('s', { of: (n) => (n === 3 ? 'too small' : n * 10) });
    const third = fake('t', { of: (n) => n * 100, degraded: 'cpu' });
    const chain = fallbackChain(
      [linkOf(main.handle), linkOf(second.handle, 's.onnx'), linkOf(third.handle, 't.onnx')],
      clock,
    );
    const { scores, failures, degraded, reasons, versions } = await ask(chain, [1, 2, 3, 4]);
    expect([...scores]).toEqual([1, 20, 300, 4]);
    expect(failures.size).toBe(0);
    expect(degraded).toEqual([null, 's.onnx', 't.onnx on cpu', null]);
    expect(reasons).toEqual([null, 'failed', 'failed', null]);
    expect(versions).toEqual(['m', 's', 't', 'm']);
    expect([second.asked, third.asked]).toEqual([[[2, 3]], [[3]]]);
  });

  test('leaves rows that would be late to the next one, and tells each what is left of the time', async () => {
    const main = fake('m', { of: (n) => (n < 0 ? 'shed' : n) });
    const other = fake('o', { of: (n) => n * 10 });
    const asked: (readonly (number | undefined)[])[] = [];
    const watched = (handle: ModelHandle, isSlow: boolean): ModelHandle => ({
      ...handle,
      async run(rows, fill, bucketOf, urgency) {
        asked.push([urgency?.sheds ? 1 : 0, ...Array.from({ length: rows }, (_, row) => urgency?.deadlineOf?.(row))]);
        const result = await handle.run(rows, fill, bucketOf, urgency);
        if (isSlow) nowMs += 30;
        return { ...result, shed: new Set(result.failures.keys()) };
      },
    });
    const chain = fallbackChain([linkOf(watched(main.handle, true)), linkOf(watched(other.handle, false), 'o')], clock);
    const numbers = [1, -2, 3, -4];
    const fill = (row: number, [into]: readonly TensorData[], place: number) => {
      (into as Float32Array)[place] = numbers[row] as number;
    };
    const urgency = { deadlineOf: (row: number) => 100 + row };
    expect(await chain.run(4, fill, undefined, urgency)).toMatchObject({
      scores: Float32Array.of(1, -20, 3, -40),
      degraded: [null, 'o', null, 'o'],
      reasons: [null, 'overloaded', null, 'overloaded'],
    });
    // Only the first may shed; the second has what is left of the time of its rows.
    expect(asked).toEqual([
      [1, 100, 101, 102, 103],
      [0, 71, 73],
    ]);
  });

  test('gives a row up on which all fail, with what the first said', async () => {
    const main = fake('m', { of: (n) => (n > 1 ? 'out of bounds' : n) });
    const other = fake('o', { of: (n) => (n > 2 ? 'too large' : n) });
    const { failures, scores } = await ask(
      fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o')], clock),
      [1, 2, 3],
    );
    expect([...failures]).toEqual([[2, 'out of bounds']]);
    expect([...scores.subarray(0, 2)]).toEqual([1, 2]);
  });

  test('does not ask a model that cannot be run, for a while', async () => {
    const main = fake('m', { of: (n) => n, error: gone() });
    const other = fake('o', { of: (n) => -n });
    const chain = fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o.onnx')], clock);
    for (let call = 0; call < 3; call++)
      expect(await ask(chain, [5])).toMatchObject({ degraded: ['o.onnx'], reasons: ['unavailable'] });
    expect(main.asked).toHaveLength(1);
    main.state.error = undefined;
    nowMs += 60_000;
    expect(await ask(chain, [5])).toMatchObject({ degraded: [null], versions: ['m'] });
    expect((await ask(chain, [5])).degraded).toEqual([null]);
  });

  test('asks a model again that was left out only when it answers golden inputs', async () => {
    const main = fake('m', { of: (n) => n, error: gone() });
    const chain = fallbackChain([linkOf(main.handle), linkOf(fake('o', { of: (n) => -n }).handle, 'o.onnx')], clock);
    await ask(chain, [5]);
    main.state.error = undefined;
    main.state.checkError = new MillraceError('inference', 'answers golden inputs wrongly');
    nowMs += 60_000;
    expect((await ask(chain, [5])).reasons).toEqual(['unavailable']);
    expect([main.asked.length, main.state.checks]).toEqual([1, 1]);
    main.state.checkError = undefined;
    nowMs += 60_000;
    for (let call = 0; call < 3; call++) expect((await ask(chain, [5])).degraded).toEqual([null]);
    expect(main.state.checks).toBe(2);
  });

  test('has another answer while a model is loaded to be asked golden inputs, and waits where none is there', async () => {
    const [main, other] = [fake('m', { of: (n) => n, error: gone() }), fake('o', { of: (n) => -n })];
    let loaded = () => {};
    const away = { main: true, other: false };
    const loading = (handle: ModelHandle): ModelHandle => ({
      ...handle,
      check: () => new Promise<void>((resolve) => (loaded = resolve)).then(handle.check),
    });
    const links = [
      { ...linkOf(loading(main.handle)), isInMemory: () => !away.main },
      { ...linkOf(other.handle, 'o.onnx'), isInMemory: () => !away.other },
    ] as const;
    const chain = fallbackChain(links, clock);
    const halfOpen = async () => {
      main.state.error = gone();
      await ask(chain, [5]);
      main.state.error = undefined;
      nowMs += 60_000;
    };
    await halfOpen();
    for (let call = 0; call < 2; call++)
      expect(await ask(chain, [5])).toMatchObject({ degraded: ['o.onnx'], reasons: ['unavailable'] });
    expect(main.asked).toHaveLength(1);
    away.main = false;
    loaded();
    await new Promise((resolve) => setImmediate(resolve));
    expect(links[0].breaker.isHalfOpen).toBe(false);
    expect((await ask(chain, [5])).degraded).toEqual([null]);
    // The other one would have to be loaded too.
    await halfOpen();
    Object.assign(away, { main: true, other: true });
    expect((await ask(chain, [5])).degraded).toEqual([null]);
  });

  test('stays open where a model that was loaded answers golden inputs wrongly, and passes on what is wrong for good', async () => {
    const main = fake('m', { of: (n) => n, error: gone() });
    const link = { ...linkOf(main.handle), isInMemory: () => false };
    const chain = fallbackChain([link, linkOf(fake('o', { of: (n) => -n }).handle, 'o.onnx')], clock);
    await ask(chain, [5]);
    main.state.checkError = new MillraceError('inference', 'answers golden inputs wrongly');
    nowMs += 60_000;
    expect((await ask(chain, [5])).degraded).toEqual(['o.onnx']);
    await new Promise((resolve) => setImmediate(resolve));
    expect([link.breaker.isOpen, link.breaker.openings]).toEqual([true, 2]);
    main.state.checkError = new MillraceError('model', 'the model file was overwritten');
    nowMs += 60_000;
    expect((await ask(chain, [5])).degraded).toEqual(['o.onnx']);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(ask(chain, [5])).rejects.toThrow('overwritten');
  });

  test('leaves out a model of which most answers are no numbers, or that is far slower than it was', async () => {
    const other = linkOf(fake('o', { of: (n) => -n }).handle, 'o.onnx');
    const bad = fake('m', { of: () => Number.NaN });
    const badChain = fallbackChain([linkOf(bad.handle), other], clock);
    for (let call = 0; call < 8; call++) await ask(badChain, [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(bad.asked).toHaveLength(4);
    const slow = fake('m', { of: (n) => n });
    const slowChain = fallbackChain([linkOf(slow.handle), other], clock);
    await ask(slowChain, [1]);
    slow.state.slowness = 11;
    expect((await ask(slowChain, [1])).degraded).toEqual([null]);
    expect((await ask(slowChain, [1])).degraded).toEqual(['o.onnx']);
  });

  test('rejects with the first error where none can be run, and asks the last one again next time', async () => {
    const main = fake('m', { of: (n) => n, error: gone() });
    const other = fake('o', { of: (n) => n, error: new MillraceError('inference', 'lost too') });
    const chain = fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o')], clock);
    await expect(ask(chain, [1])).rejects.toThrow('lost 25 times');
    other.state.error = undefined;
    expect((await ask(chain, [1])).versions).toEqual(['o']);
  });

  test('passes on what is wrong for good', async () => {
    const main = fake('m', { of: (n) => n, error: new MillraceError('model', 'another width') });
    const other = fake('o', { of: (n) => n });
    await expect(ask(fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o')], clock), [1])).rejects.toThrow(
      'width',
    );
    expect(other.asked).toEqual([]);
  });

  test('answers calls in the order in which they were made, though one needs the second model', async () => {
    const main = fake('m', { of: (n) => (n === 0 ? 'bad' : n) });
    const slow = fake('o', { of: () => 7, turns: 20 });
    const chain = fallbackChain([linkOf(main.handle), linkOf(slow.handle, 'o')], clock);
    const order: number[] = [];
    await Promise.all([0, 1, 2].map((n) => ask(chain, [n]).then(() => order.push(n))));
    expect(order).toEqual([0, 1, 2]);
  });

  test('flushes all of its models', () => {
    const [main, other] = [fake('m', { of: (n) => n }), fake('o', { of: (n) => n })];
    fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o')], clock).flush();
    expect([main.flushed, other.flushed]).toEqual([['m'], ['o']]);
  });
});

test('rows are shed only to a model that can be run', async () => {
  const [main, other] = [fake('m', { of: (n) => n }), fake('o', { of: (n) => n })];
  const links = [linkOf(main.handle), linkOf(other.handle, 'o')] as const;
  const chain = fallbackChain(links, clock);
  await ask(chain, [1]);
  links[1].breaker.failed();
  await ask(chain, [1]);
  expect(main.sheds).toEqual([true, false]);
});

test('answers in order are kept by nobody who has them', async () => {
  const answers: WeakRef<object>[] = [];
  const run = inOrder(async (rows) => {
    const answer = noAnswers(rows, 1);
    answers.push(new WeakRef(answer));
    return answer;
  });
  for (let call = 0; call < 100; call++) await run(10, () => {});
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(answers.filter((answer) => answer.deref() !== undefined).length).toBeLessThan(3);
});

describe('a stream that is behind', () => {
  const askBehind = (model: ModelHandle, numbers: readonly number[]) =>
    model.run(
      numbers.length,
      (row, [into], place) => {
        (into as Float32Array)[place] = numbers[row] as number;
      },
      undefined,
      { isBehind: true },
    );

  test('has the next of the chain answer in place of the first, and the first only once it has caught up', async () => {
    const [main, other] = [fake('m', { of: (n) => n }), fake('o', { of: (n) => (n === 3 ? 'bad' : -n) })];
    const last = fake('l', { of: (n) => n * 100 });
    const chain = fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o'), linkOf(last.handle, 'l')], clock);
    expect(await askBehind(chain, [1, 3])).toMatchObject({ degraded: ['o', 'l'], reasons: ['behind', 'failed'] });
    expect(main.asked).toEqual([]);
    expect((await ask(chain, [1])).degraded).toEqual([null]);
  });

  test('has the first one answer where the others cannot, and where there are none', async () => {
    const [main, other] = [fake('m', { of: (n) => n }), fake('o', { of: (n) => (n === 3 ? 'bad' : -n) })];
    const chain = fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o')], clock);
    expect(await askBehind(chain, [1, 3])).toMatchObject({
      ...{ degraded: ['o', null], reasons: ['behind', null], versions: ['o', 'm'] },
      ...{ scores: Float32Array.of(-1, 3), failures: new Map() },
    });
    other.state.error = gone();
    expect(await askBehind(chain, [2])).toMatchObject({ degraded: [null], versions: ['m'] });
    // Its fallback, or the first one itself, could not be opened.
    expect((await askBehind(fallbackChain([linkOf(main.handle)], clock), [4])).versions).toEqual(['m']);
    other.state.error = undefined;
    const alone = fallbackChain([linkOf(other.handle, 'o')], { ...clock, isMissing: true });
    expect(await askBehind(alone, [5])).toMatchObject({ versions: ['o'], reasons: ['behind'] });
  });

  test('sheds no row to the model that is too slow for it', async () => {
    const [main, other] = [fake('m', { of: (n) => n }), fake('o', { of: (n) => n })];
    const chain = fallbackChain([linkOf(main.handle), linkOf(other.handle, 'o')], clock);
    await askBehind(chain, [1]);
    expect(other.sheds).toEqual([false]);
  });

  test('has the cheap model of a cascade answer alone, and the dear one where that fails', async () => {
    const cheap = fake('c', { of: (n) => (n === 9 ? 'bad' : n === 8 ? Number.NaN : n) });
    const dear = fake('d', { of: () => 0.125 });
    const limits = { below: 0.25, above: 0.75 };
    const model = cascade(cheap.handle, dear.handle, limits, named);
    const chain = fallbackChain([linkOf(model), linkOf(fake('o', { of: () => 7 }).handle, 'o')], {
      ...clock,
      isCascade: true,
    });
    for (const each of [model, chain]) {
      expect(await askBehind(each, [0.5, 9, 0.1, 8])).toMatchObject({
        scores: Float32Array.of(0.5, 0.125, 0.1, 0.125),
        versions: ['c', 'd', 'c', 'd'],
        degraded: ['cheap.onnx', null, 'cheap.onnx', null],
        reasons: ['behind', null, 'behind', null],
      });
    }
  });
});

describe('a cascade', () => {
  const limits = { below: 0.25, above: 0.75 };

  test('asks the dear model about the rows of which the cheap one is unsure, or on which it fails', async () => {
    const cheap = fake('c', { of: (n) => (n === 9 ? 'bad' : n) });
    const dear = fake('d', { of: (n) => (n === 9 ? 0.5 : n + 0.001) });
    const { scores, failures, versions, degraded } = await ask(cascade(cheap.handle, dear.handle, limits, named), [
      0.25,
      0.5,
      0.75,
      9,
      Number.NaN,
    ]);
    expect([...scores].slice(0, 4).map((score) => Math.round(score * 1_000))).toEqual([250, 501, 750, 500]);
    expect(versions).toEqual(['c', 'd', 'c', 'd', 'd']);
    expect(degraded).toEqual([null, null, null, null, null]);
    expect(failures.size).toBe(0);
    expect(dear.asked).toEqual([[0.5, 9, Number.NaN]]);
  });

  test('looks at the last number of a row', async () => {
    const cheap = fake('c', { of: (n) => n, outputSize: 2 });
    const dear = fake('d', { of: () => 1, outputSize: 2 });
    const model = cascade(cheap.handle, dear.handle, limits, named);
    expect(await ask(model, [0.5, 0.9])).toMatchObject({
      scores: Float32Array.of(1, 1, 0.9, 0.9),
      versions: ['d', 'c'],
    });
  });

  test('does not ask the dear model where the cheap one is sure, and rejects where it cannot be run', async () => {
    const cheap = fake('c', { of: (n) => n });
    const dear = fake('d', { of: (n) => n });
    const model = cascade(cheap.handle, dear.handle, limits, named);
    expect((await ask(model, [0, 1])).versions).toEqual(['c', 'c']);
    expect(dear.asked).toEqual([]);
    cheap.state.error = gone();
    await expect(ask(model, [0])).rejects.toThrow('lost');
    expect(dear.asked).toEqual([]);
  });
});

test('models that answer for each other take and give the same', () => {
  const one = fake('one', { of: (n) => n }).handle;
  checkAlike(one, { ...one, inputs: [{ name: 'another name', type: 'float32', shape: [1] }] }, 'b.onnx');
  const wider = { ...one, inputs: [{ name: 'x', type: 'float32', shape: [2] }] } as ModelHandle;
  for (const other of [wider, { ...one, outputSize: 2 }])
    expect(() => checkAlike(one, other, 'b.onnx')).toThrow('b.onnx takes or gives other tensors');
});
