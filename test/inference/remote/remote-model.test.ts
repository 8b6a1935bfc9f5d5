import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type InferenceService,
  type ModelHandle,
  millis,
  type RemoteOptions,
  type TensorData,
  type TensorSpec,
} from '../../../src/core/index.js';
import { createInference } from '../../../src/inference/index.js';
import { type Answer, type Fault, inferenceServer, type ServerOptions } from './server.js';

type Server = Awaited<ReturnType<typeof inferenceServer>>;

const limits = { model: 'sums', batchMax: 8, waitMax: 2 };
let server: Server;
let inference: InferenceService;
afterEach(async () => {
  await inference.close();
  await server.close();
});

async function open(options: ServerOptions = {}, declared: Partial<RemoteOptions> = {}): Promise<ModelHandle> {
  server = await inferenceServer(options);
  inference = createInference();
  const handle = await inference.open({ ...limits, providers: [{ name: 'remote', url: server.url, ...declared }] });
  return handle;
}

const score = (model: ModelHandle, rows: readonly (readonly number[])[]) =>
  model.run(rows.length, (row, [into], place) => (into as Float32Array).set(rows[row] as number[], place * 3));
const rowsOf = (count: number, first = 0) => Array.from({ length: count }, (_, i) => [first + i, 2, 0.5]);
const answersTo = (rows: readonly (readonly number[])[]) =>
  rows.flatMap(([a = 0, b = 0, c = 0]) => [a + b + c, a * b * c].map(Math.fround));

const change = (of: (answer: Answer) => void): Fault => ({
  change(answer) {
    of(answer);
    return answer;
  },
});
const outputOf = ({ outputs }: Answer) => outputs[0] as Answer['outputs'][number];
/** One number a row in place of two. */
function narrowed(answer: Answer): Answer {
  const output = outputOf(answer);
  const [rows = 0] = output.shape;
  const values = output.data ? { data: output.data.slice(0, rows) } : { parameters: { binary_data_size: 4 * rows } };
  Object.assign(output, { shape: [rows, 1], ...values });
  return answer;
}

describe.each([
  { isBinary: true, how: 'as bytes' },
  { isBinary: false, how: 'as JSON' },
])('a model on a server that takes numbers $how', ({ isBinary }) => {
  test('answers all callers in order, and says which version did', async () => {
    const model = await open({ isBinary });
    const order: number[] = [];
    const calls = Array.from({ length: 40 }, async (_, call) => {
      const rows = rowsOf((call * 7) % 30, call);
      const { scores, versions, degraded, failures } = await score(model, rows);
      order.push(call);
      expect(Array.from(scores)).toEqual(answersTo(rows));
      expect(new Set(versions)).toEqual(new Set(rows.length > 0 ? ['sums/3'] : []));
      expect(degraded.every((each) => each === null)).toBe(true);
      expect(failures.size).toBe(0);
    });
    await Promise.all(calls);
    expect(order).toEqual(calls.map((_, call) => call));
    expect(model).toMatchObject({ provider: 'remote', version: 'sums/3', outputSize: 2 });
    expect(inference.models?.()).toMatchObject([{ model: 'sums/3', provider: 'remote', rows: 570, failed: 0 }]);
    expect(server.received.every(({ path }) => path === '/v2/models/sums/versions/3/infer')).toBe(true);
  });

  test('gives several outputs, texts among them', async () => {
    server = await inferenceServer({ isBinary });
    inference = createInference();
    const tensors: TensorSpec = {
      outputs: [
        { name: 'size', type: 'string', shape: [] },
        { name: 'scores', type: 'float32', shape: [2] },
      ],
    };
    const remote = { ...limits, providers: [{ name: 'remote' as const, url: server.url }] };
    const model = await inference.open({ ...remote, tensors });
    const rows = rowsOf(20);
    const { scores, discrete } = await score(model, rows);
    expect(Array.from(scores)).toEqual(answersTo(rows));
    expect(discrete).toEqual(rows.map(([a = 0]) => [a + 2.5 < 10 ? 'small' : 'groß']));
    const wrong = { outputs: [{ name: 'size', type: 'int64', shape: [] }] } as const;
    await expect(inference.open({ ...remote, tensors: wrong })).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining("'size' string [N], not int64 [N]"),
    });
  });

  test('has the time limit of a server for the server alone, not for what waits before it is asked', async () => {
    let slowMs = 0;
    const behave = () => (slowMs > 0 ? { slowMs } : undefined);
    const model = await open({ isBinary, behave }, { inFlightMax: 1, timeout: millis(500) });
    slowMs = 300;
    const asked = server.received.length;
    const calls = Array.from({ length: 4 }, (_, call) => score(model, rowsOf(8, call)));
    for (const [call, { scores }] of (await Promise.all(calls)).entries())
      expect(Array.from(scores)).toEqual(answersTo(rowsOf(8, call)));
    const { batches, workerMs } = model.stats();
    expect(server.received.length - asked).toBe(batches);
    expect(workerMs / batches).toBeLessThan(500);
    expect(server.most()).toBe(1);
  });

  test('gives the outputs that are declared, or none', async () => {
    let isNarrow = false;
    const behave = () => (isNarrow ? { change: narrowed } : undefined);
    server = await inferenceServer({ isBinary, behave });
    inference = createInference();
    const tensors: TensorSpec = { outputs: [{ name: 'scores', type: 'float32', shape: [2] }] };
    const model = await inference.open({ ...limits, tensors, providers: [{ name: 'remote', url: server.url }] });
    isNarrow = true;
    await expect(score(model, rowsOf(3))).rejects.toMatchObject({
      code: 'inference',
      message: expect.stringContaining("'scores' [3, 1], not float32 [N, 2]"),
    });
  });

  test('keeps several batches under way, and no more than it may', async () => {
    const model = await open({ isBinary, behave: () => ({ slowMs: 5 }) }, { inFlightMax: 4 });
    await Promise.all(rowsOf(100).map((row) => score(model, [row])));
    expect(server.most()).toBe(4);
  });

  test('names the rows that the server refuses, and answers the others', async () => {
    const isBad = ([a]: Float32Array) => a === 13;
    const behave: ServerOptions['behave'] = ({ inputs }) =>
      inputs.some(isBad) ? { status: 400, error: 'thirteen' } : undefined;
    const model = await open({ isBinary, behave });
    const rows = rowsOf(30);
    const { scores, failures } = await score(model, rows);
    expect([...failures]).toEqual([[13, '400: thirteen']]);
    const expected = answersTo(rows);
    for (const [row] of rows.entries())
      if (row !== 13)
        expect(Array.from(scores.subarray(2 * row, 2 * row + 2))).toEqual(expected.slice(2 * row, 2 * row + 2));
  });

  test('takes answers that are larger than others, and gives up rows whose answer is no end of bytes', async () => {
    const longAt = new Map([
      [5, 2 ** 20],
      [13, 33 * 2 ** 20],
    ]);
    let alone = 0;
    const behave: ServerOptions['behave'] = ({ inputs }) => {
      if (inputs.length === 1 && inputs[0]?.[0] === 13) alone++;
      return { padding: inputs.reduce((sum, [a = 0]) => sum + (longAt.get(a) ?? 0), 0) };
    };
    const model = await open({ isBinary, behave });
    const { scores, failures } = await score(model, rowsOf(16));
    expect([...failures.keys()]).toEqual([13]);
    expect(failures.get(13)).toContain('larger than 33554432 bytes');
    expect(Array.from(scores.subarray(0, 26))).toEqual(answersTo(rowsOf(13)));
    expect(alone).toBe(1);
  });

  test('survives a server that is busy for a while', async () => {
    let refused = 0;
    const behave = (): Fault | undefined => (++refused % 3 === 0 ? undefined : { status: 503, error: 'busy' });
    const model = await open({ isBinary, behave });
    expect(Array.from((await score(model, rowsOf(3))).scores)).toEqual(answersTo(rowsOf(3)));
  });

  const lies: readonly (readonly [string, Fault, RegExp])[] = [
    ['another model', change((answer) => Object.assign(answer, { model_name: 'other' })), /model 'other' answers/],
    ['another version', change((answer) => Object.assign(answer, { model_version: '2' })), /version '2' of the model/],
    ['no outputs', { change: () => ({}) }, /no outputs/],
    ['another output', change((answer) => Object.assign(outputOf(answer), { name: 'y' })), /no output 'scores'/],
    ['another type', change((answer) => Object.assign(outputOf(answer), { datatype: 'INT64' })), /INT64, not FP32/],
    ['no rows', change((answer) => outputOf(answer).shape.splice(0, 1, 0)), /shape \[0,2\] for \d rows/],
    ['other numbers a row', { change: narrowed }, /has 1 numbers a row, not 2/],
    ['more numbers', change((answer) => outputOf(answer).shape.splice(1, 1, 7)), /has \d values/],
    ['text', { raw: '<html>' }, /no JSON: <html>/],
  ];
  test.each(lies)('refuses an answer with %s', async (_, fault, message) => {
    let isLying = false;
    let asked = 0;
    const lie = ({ rows }: { readonly rows: number }) => {
      asked += rows;
      return fault;
    };
    const model = await open({ isBinary, behave: (request) => (isLying ? lie(request) : undefined) });
    isLying = true;
    const answer = score(model, rowsOf(3));
    await expect(answer).rejects.toMatchObject({ code: 'inference', permanent: false, where: server.url });
    await expect(answer).rejects.toThrow(message);
    // Halves of a batch that is answered wrongly are not asked; on a busy machine three rows may be two batches.
    expect(asked).toBeLessThanOrEqual(3);
    isLying = false;
    expect(Array.from((await score(model, rowsOf(3))).scores)).toEqual(answersTo(rowsOf(3)));
  });

  test('is given up where the server is too slow, cuts its answers, or is gone', async () => {
    let fault: Fault | undefined;
    const model = await open({ isBinary, behave: () => fault }, { timeout: millis(100) });
    fault = { slowMs: 1_000 };
    await expect(score(model, rowsOf(3))).rejects.toThrow('no answer within 0.1 s');
    fault = { cutAfter: 20 };
    await expect(score(model, rowsOf(3))).rejects.toThrow(/cut|hang up|aborted/);
    fault = undefined;
    expect(Array.from((await score(model, rowsOf(3))).scores)).toEqual(answersTo(rowsOf(3)));
    await server.close();
    await expect(score(model, rowsOf(3))).rejects.toMatchObject({ code: 'inference', permanent: false });
  });

  test('is refused for good where the server refuses this process', async () => {
    let isKnown = true;
    const model = await open({ isBinary, behave: () => (isKnown ? undefined : { status: 401, error: 'who?' }) });
    isKnown = false;
    await expect(score(model, rowsOf(3))).rejects.toMatchObject({ code: 'inference', permanent: true });
  });

  test('answers no row of a model that is gone', async () => {
    let isThere = true;
    const model = await open({ isBinary, behave: () => (isThere ? undefined : { status: 400, error: 'not loaded' }) });
    isThere = false;
    await expect(score(model, rowsOf(3))).rejects.toThrow('400: not loaded');
  });
});

describe('a remote model', () => {
  test('has no version where the server has none', async () => {
    const model = await open({ versions: null });
    expect(model.version).toBe('sums');
    expect((await score(model, rowsOf(1))).versions).toEqual(['sums']);
  });

  test('may be of the version that its address names', async () => {
    server = await inferenceServer();
    inference = createInference();
    const providers = [{ name: 'remote', url: `${server.url}/versions/1` }] as const;
    expect((await inference.open({ ...limits, providers })).version).toBe('sums/1');
  });

  test('is opened anew where the server has another version, or another model', async () => {
    const versions = ['3'];
    let isRefused = false;
    let isNarrow = false;
    const behave = (): Fault | undefined => {
      if (isRefused) return { status: 400, error: 'not loaded' };
      return isNarrow ? { change: narrowed } : undefined;
    };
    server = await inferenceServer({ isBinary: false, versions, behave });
    inference = createInference();
    const spec = { ...limits, providers: [{ name: 'remote', url: server.url }] } as const;
    const first = await inference.open(spec);
    versions[0] = '4';
    await expect(score(first, rowsOf(1))).rejects.toThrow('version 3 is not found');
    const second = await inference.open(spec);
    expect((await score(second, rowsOf(1))).versions).toEqual(['sums/4']);
    expect(await inference.open(spec)).toBe(second);
    // What the first one is asked no more concerns the second, and nothing of it is kept.
    await expect(score(first, rowsOf(1))).rejects.toMatchObject({ code: 'inference' });
    expect(await inference.open(spec)).toBe(second);
    expect(inference.models?.().map(({ model }) => model)).toEqual(['sums/4']);
    isRefused = true;
    await expect(score(second, rowsOf(1))).rejects.toThrow('not loaded');
    isRefused = false;
    isNarrow = true;
    const third = await inference.open(spec);
    expect(third).toMatchObject({ version: 'sums/4', outputSize: 1 });
    isNarrow = false;
    await expect(third.check()).rejects.toThrow('2 numbers a row, not 1');
    expect(await inference.open(spec)).toMatchObject({ version: 'sums/4', outputSize: 2 });
  });

  test('of a version that its address names is asked until it is there again', async () => {
    const versions = ['1', '3'];
    server = await inferenceServer({ versions });
    inference = createInference();
    const spec = { ...limits, providers: [{ name: 'remote', url: `${server.url}/versions/1` }] } as const;
    const model = await inference.open(spec);
    versions[0] = '2';
    await expect(score(model, rowsOf(1))).rejects.toThrow('version 1 is not found');
    expect(await inference.open(spec)).toBe(model);
    versions[0] = '1';
    expect((await score(model, rowsOf(1))).versions).toEqual(['sums/1']);
  });

  test('that was slow for a while is as fast as at first when it is checked', async () => {
    let slowMs = 0;
    const model = await open({ behave: () => (slowMs > 0 ? { slowMs } : undefined) });
    slowMs = 100;
    for (let batch = 0; batch < 12; batch++) await score(model, rowsOf(1));
    expect(model.stats().slowness).toBeGreaterThan(1.5);
    slowMs = 0;
    await model.check();
    expect(model.stats().slowness).toBe(1);
  });

  test('is checked once at a time and without a retry, and within a second', async () => {
    let isHung = false;
    const model = await open({ behave: () => (isHung ? { slowMs: 3_000 } : undefined) });
    isHung = true;
    const asked = server.received.length;
    const checks = await Promise.allSettled([model.check(), model.check()]);
    for (const check of checks)
      expect(check).toMatchObject({
        reason: { code: 'inference', message: expect.stringContaining('no answer within') },
      });
    expect(server.received).toHaveLength(asked + 1);
  });

  test('leaves rows to others that would be late behind requests which hang', async () => {
    let isHung = false;
    const model = await open({ behave: () => (isHung ? { slowMs: 3_000 } : undefined) }, { timeout: millis(500) });
    isHung = true;
    const hung = Array.from({ length: 8 }, () => score(model, rowsOf(8)));
    const settled = Promise.allSettled(hung);
    const urgent = { sheds: true, deadlineOf: () => 50 };
    const sinceMs = performance.now();
    const { shed } = await model.run(3, (_, [into], place) => into?.fill(1 as never, 3 * place), undefined, urgent);
    expect(shed?.size).toBe(3);
    // Requests that hang are given up after four times half a second.
    expect(performance.now() - sinceMs).toBeLessThan(1_500);
    await settled;
  });

  test('leaves rows to others where more than `queueMax` wait', async () => {
    server = await inferenceServer({ behave: () => ({ slowMs: 20 }) });
    inference = createInference();
    const spec = { ...limits, providers: [{ name: 'remote', url: server.url }] } as const;
    const model = await inference.open({ ...spec, queueMax: 8 });
    const fill = (_: number, [into]: readonly TensorData[], place: number) => into?.fill(1 as never, 3 * place);
    const urgency = { sheds: true, deadlineOf: () => 60_000 };
    expect((await model.run(40, fill, undefined, urgency)).shed?.size).toBe(32);
    const other = await inference.open(spec);
    expect((await other.run(40, fill, undefined, urgency)).shed).toBeUndefined();
  });

  test('cannot be opened with larger batches than the server takes', async () => {
    const behave: ServerOptions['behave'] = ({ rows }) =>
      rows > 4 ? { status: 400, error: 'batch-size must be <= 4' } : undefined;
    server = await inferenceServer({ behave });
    inference = createInference();
    const providers = [{ name: 'remote', url: server.url }] as const;
    await expect(inference.open({ ...limits, providers })).rejects.toMatchObject({
      code: 'model',
      message: 'the server refuses a batch of 8 rows: 400: batch-size must be <= 4',
      hint: expect.stringContaining('batchMax'),
      where: server.url,
    });
    expect((await inference.open({ ...limits, batchMax: 4, providers })).version).toBe('sums/3');
  });

  test('is asked nothing after the service is closed', async () => {
    const model = await open();
    const last = score(model, rowsOf(3));
    await inference.close();
    expect(Array.from((await last).scores)).toEqual(answersTo(rowsOf(3)));
    const asked = server.received.length;
    await expect(score(model, rowsOf(1))).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('closed'),
    });
    await expect(model.check()).rejects.toThrow('closed');
    expect(server.received).toHaveLength(asked);
  });

  test('remembers answers only where the server names a version', async () => {
    const ask = async (versions: readonly string[] | null) => {
      let isNew = false;
      const behave = () => (isNew ? change((answer) => outputOf(answer).data?.fill(7)) : undefined);
      server = await inferenceServer({ isBinary: false, versions, behave });
      inference = createInference();
      const providers = [{ name: 'remote', url: server.url }] as const;
      const model = await inference.open({ ...limits, cacheBytesMax: 2 ** 20, providers });
      await score(model, rowsOf(1));
      isNew = true;
      const { scores } = await score(model, rowsOf(1));
      return Array.from(scores);
    };
    expect(await ask(['3'])).toEqual(answersTo(rowsOf(1)));
    await inference.close();
    await server.close();
    expect(await ask(null)).toEqual([7, 7]);
  });

  test('remembers nothing of a model whose name has a slash, and that has no version', async () => {
    let isNew = false;
    const behave = (): Fault =>
      change((answer) => {
        answer.model_name = 'sums/a';
        answer.model_version = '';
        if (isNew) outputOf(answer).data?.fill(7);
      });
    server = await inferenceServer({ isBinary: false, versions: null, behave });
    inference = createInference();
    const providers = [{ name: 'remote', url: `${server.url}%2Fa` }] as const;
    const model = await inference.open({ ...limits, cacheBytesMax: 2 ** 20, providers });
    await score(model, rowsOf(1));
    isNew = true;
    expect(Array.from((await score(model, rowsOf(1))).scores)).toEqual([7, 7]);
  });

  test('cannot be opened where nothing listens, and nobody knows it', async () => {
    server = await inferenceServer();
    inference = createInference();
    const at = (url: string) => inference.open({ ...limits, providers: [{ name: 'remote', url }] });
    await expect(at(server.url.replace('sums', 'other'))).rejects.toMatchObject({ code: 'inference' });
    await expect(at('http://127.0.0.1:1/v2/models/sums')).rejects.toThrow('ECONNREFUSED');
  });

  test('is shared by the tasks that open it', async () => {
    server = await inferenceServer();
    inference = createInference();
    const spec = { ...limits, providers: [{ name: 'remote', url: server.url }] } as const;
    const [one, two] = await Promise.all([inference.open(spec), inference.open({ ...spec })]);
    expect(two).toBe(one);
  });

  test('gives up a row that JSON cannot say, and passes on numbers that are not finite', async () => {
    const model = await open({ isBinary: false });
    const { failures, scores } = await score(model, [
      [1, 2, 3],
      [Number.NaN, 1, 1],
      [3e38, 3e38, 3e38],
    ]);
    expect([...failures.keys()]).toEqual([1]);
    expect(failures.get(1)).toContain('not finite');
    expect(Number.isFinite(scores[4])).toBe(false);
  });

  test('sends the token of its variable, and says which one is missing or refused', async () => {
    const tokenFrom = 'TEST_INFERENCE_TOKEN';
    vi.stubEnv(tokenFrom, 'opensesame');
    const model = await open({ token: 'opensesame' }, { tokenFrom });
    expect((await score(model, rowsOf(2))).failures.size).toBe(0);
    const again = () =>
      createInference().open({ ...limits, providers: [{ name: 'remote', url: server.url, tokenFrom }] });
    vi.stubEnv(tokenFrom, 'another');
    await expect(again()).rejects.toMatchObject({
      code: 'inference',
      permanent: true,
      hint: expect.stringContaining('tokenFrom'),
    });
    vi.stubEnv(tokenFrom, '');
    await expect(again()).rejects.toMatchObject({ code: 'config', message: expect.stringContaining(tokenFrom) });
    vi.unstubAllEnvs();
  });

  test('has a fallback that answers while the server refuses this process', async () => {
    server = await inferenceServer();
    let isRefused = false;
    const other = await inferenceServer({ behave: () => (isRefused ? { status: 401, error: 'expired' } : undefined) });
    const warnings: string[] = [];
    inference = createInference({ onWarning: (message) => warnings.push(message) });
    const spec = {
      ...limits,
      model: 'main',
      providers: [{ name: 'remote', url: other.url }],
      fallback: [{ ...limits, providers: [{ name: 'remote', url: server.url }] }],
    } as const;
    const model = await inference.open(spec);
    isRefused = true;
    expect((await score(model, rowsOf(2))).degraded).toEqual(['sums', 'sums']);
    await expect(model.check()).rejects.toMatchObject({ code: 'inference', permanent: true });
    expect(warnings).toEqual([`${other.url}: the server refuses this process: 401: expired`]);
    const late = await inference.open({ ...spec, batchMax: 4 });
    expect((await score(late, rowsOf(2))).degraded).toEqual(['sums', 'sums']);
    expect(warnings).toHaveLength(2);
    await other.close();
  });

  test('with a fallback is asked again when its server has a newer version', async () => {
    const versions = ['3'];
    server = await inferenceServer();
    const other = await inferenceServer({ versions });
    inference = createInference();
    const fallback = [{ ...limits, providers: [{ name: 'remote', url: server.url }] }] as const;
    const model = await inference.open({
      ...limits,
      model: 'main',
      providers: [{ name: 'remote', url: other.url }],
      fallback,
    });
    const answer = async () => {
      const { degraded, versions: by } = await score(model, rowsOf(1));
      return [degraded[0], by[0]];
    };
    const main = () => inference.models?.().map((each) => each.model);
    expect(await answer()).toEqual([null, 'sums/3']);
    versions[0] = '4';
    expect(await answer()).toEqual(['sums', 'sums/3']);
    await vi.waitFor(async () => expect(await answer()).toEqual([null, 'sums/4']), { timeout: 10_000, interval: 50 });
    expect(main()).toEqual(['sums/3', 'sums/4']);
    await other.close();
  });

  test('has a fallback like any other', async () => {
    server = await inferenceServer();
    let isDown = false;
    const other = await inferenceServer({ behave: () => (isDown ? { status: 503, error: 'down' } : undefined) });
    inference = createInference();
    const model = await inference.open({
      ...limits,
      model: 'main',
      providers: [{ name: 'remote', url: other.url }],
      fallback: [{ ...limits, providers: [{ name: 'remote', url: server.url }] }],
    });
    expect((await score(model, rowsOf(2))).degraded).toEqual([null, null]);
    isDown = true;
    expect((await score(model, rowsOf(2))).degraded).toEqual(['sums', 'sums']);
    await other.close();
  });
});
