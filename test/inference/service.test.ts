import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InferenceService, ModelHandle } from '../../src/core/index.js';
import { createInference } from '../../src/inference/index.js';

const modelFile = (name: string) => new URL(`./models/${name}.onnx`, import.meta.url);
const limits = { batchMax: 64, waitMax: 2, providers: ['cpu'] };

let inference: InferenceService;
let warnings: string[];
let workers: Worker[];
const noteWorker = (worker: Worker) => workers.push(worker);

beforeEach(() => {
  warnings = [];
  workers = [];
  process.on('worker', noteWorker);
  inference = createInference({ onWarning: (message) => warnings.push(message) });
});
afterEach(async () => {
  process.off('worker', noteWorker);
  await inference.close();
});

/** Scores rows given as arrays. */
const score = (model: ModelHandle, rows: readonly (readonly number[])[]) =>
  model.run(rows.length, (row, [into], place) => {
    const numbers = rows[row] ?? [];
    (into as Float32Array).set(numbers, place * numbers.length);
  });

const sequence = (length: number, of: (i: number) => number) => Array.from({ length }, (_, i) => [of(i)]);

describe('the inference service', () => {
  test('that is closed while it opens a file leaves none open', async () => {
    const openFiles = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).endsWith('sigmoid.onnx');
        } catch {
          return false;
        }
      }).length;
    const before = openFiles();
    const opening = inference.open({ ...limits, model: modelFile('sigmoid') });
    const [opened] = await Promise.allSettled([opening, inference.close()]);
    expect(opened).toMatchObject({ reason: { code: 'model', message: 'the inference service is closed' } });
    expect(openFiles()).toBe(before);
  });

  test('gives the numbers that the model is known to give', async () => {
    const model = await inference.open({ ...limits, model: modelFile('sigmoid') });
    const rows = [
      [0, 0, 0],
      [1, 2, 3],
      [-4, 0.5, 0.25],
    ];
    const { scores, failures, degraded } = await score(model, rows);
    const expected = rows.map(([a = 0, b = 0, c = 0]) => 1 / (1 + Math.exp(-(0.5 * a - 0.25 * b + 2 * c - 1))));
    for (const [i, probability] of expected.entries()) expect(scores[i]).toBeCloseTo(probability, 6);
    expect(failures.size).toBe(0);
    expect(degraded).toEqual([null, null, null]);
    expect(model).toMatchObject({ inputs: [{ type: 'float32', shape: [3] }], outputSize: 1, provider: 'cpu' });
    expect(model.version).toMatch(/^[0-9a-f]{64}$/);
  });

  test('gives a classifier’s probabilities, not its label', async () => {
    const model = await inference.open({ ...limits, model: modelFile('mlp') });
    expect(model.outputSize).toBe(2);
    const { scores } = await score(model, [new Array<number>(20).fill(1)]);
    expect((scores[0] ?? 0) + (scores[1] ?? 0)).toBeCloseTo(1, 6);
  });

  test('keeps every row with its caller when many call at once, larger than a batch and smaller', async () => {
    const model = await inference.open({ ...limits, model: modelFile('identity') });
    const settled: number[] = [];
    const calls = Array.from({ length: 200 }, async (_, call) => {
      const rows = Array.from({ length: (call * 37) % 150 }, (_, row) => [call, row, call * row, -row]);
      const { scores } = await score(model, rows);
      settled.push(call);
      expect(Array.from(scores)).toEqual(rows.flat());
    });
    await Promise.all(calls);
    expect(settled).toEqual(settled.map((_, i) => i));
  });

  test('gives the same bits for a row in any company', async () => {
    const row = (i: number) => Array.from({ length: 20 }, (_, j) => Math.sin(i * 20 + j));
    for (const name of ['mlp', 'forest']) {
      const model = await inference.open({ ...limits, model: modelFile(name) });
      const rows = Array.from({ length: 150 }, (_, i) => row(i));
      const together = (await score(model, rows)).scores;
      const alone = await Promise.all(rows.map(async (one) => Array.from((await score(model, [one])).scores)));
      expect(Array.from(together)).toEqual(alone.flat());
    }
  });

  test('loads a model once, whoever opens it and wherever the file lies', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-models-'));
    try {
      const copy = join(folder, 'copy.onnx');
      await copyFile(modelFile('identity'), copy);
      const [one, two] = await Promise.all([
        inference.open({ ...limits, model: modelFile('identity') }),
        inference.open({ ...limits, model: relative(process.cwd(), copy) }),
      ]);
      expect(two).toBe(one);
      expect(workers).toHaveLength(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('fills the batches of one model for all its callers', async () => {
    // The wait is longer than any machine takes for the calls: a batch that is not full leaves when the worker is idle.
    const model = await inference.open({ ...limits, waitMax: 60_000, model: modelFile('identity') });
    const [worker] = workers;
    let asked = 0;
    const post = worker?.postMessage.bind(worker);
    if (worker && post) {
      worker.postMessage = (...message: Parameters<typeof post>) => {
        asked++;
        post(...message);
      };
    }
    await Promise.all(Array.from({ length: 640 }, (_, i) => score(model, [[i, 0, 0, 0]])));
    // One row that found the worker idle, one for when it is free, which is soon, and full batches from there on.
    expect(asked).toBe(12);
  });
});

test('the service tells what became of the rows of each model', async () => {
  const model = await inference.open({ ...limits, batchMax: 8, model: modelFile('table') });
  await score(
    model,
    sequence(20, (i) => (i === 3 ? 99 : i % 8)),
  );
  const [report, ...others] = inference.models?.() ?? [];
  expect(others).toEqual([]);
  expect(report).toMatchObject({ model: 'table.onnx', provider: 'cpu', rows: 20, failed: 1, lost: 0 });
  expect(report?.batches).toBeGreaterThanOrEqual(3);
  expect(report?.workerMs).toBeGreaterThan(0);
});

describe('what the service refuses', () => {
  test.each([
    ['zipmap', /in a map/, /zipmap/],
    ['two-inputs', /2 inputs/, /one float32 input/],
    ['fixed-batch', /fixed length/, /dynamic/],
    ['any-width', /how many features/, /fixed number/],
    ['label-only', /not one float32 tensor/, /probabilities/],
    ['batch-mean', /depends on the batch/, /batchMax to 1/],
    ['not-there', /cannot be read/, /working directory/],
  ])('%s', async (name, message, hint) => {
    await expect(inference.open({ ...limits, model: modelFile(name) })).rejects.toMatchObject({
      code: 'model',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
      where: fileURLToPath(modelFile(name)),
    });
  });

  test('a file that is no model', async () => {
    await expect(inference.open({ ...limits, model: new URL(import.meta.url) })).rejects.toMatchObject({
      code: 'model',
      message: expect.stringMatching(/^no provider can run the model \(cpu: /),
      hint: expect.stringContaining('complete ONNX model'),
    });
  });

  test('limits that mean nothing', async () => {
    const model = modelFile('identity');
    await expect(inference.open({ ...limits, model, batchMax: 0 })).rejects.toThrow('batchMax is 0');
    await expect(inference.open({ ...limits, model, waitMax: Number.NaN })).rejects.toThrow('waitMax is NaN');
    await expect(inference.open({ ...limits, model, providers: [] })).rejects.toThrow('no provider');
  });

  test('goes on with other models after a refusal', async () => {
    await expect(inference.open({ ...limits, model: modelFile('zipmap') })).rejects.toThrow();
    const model = await inference.open({ ...limits, model: modelFile('identity') });
    expect(Array.from((await score(model, [[1, 2, 3, 4]])).scores)).toEqual([1, 2, 3, 4]);
    expect(workers).toHaveLength(1);
  });

  test('allows a model that mixes the rows of a batch where a batch is one row', async () => {
    const model = await inference.open({ ...limits, model: modelFile('batch-mean'), batchMax: 1 });
    expect(Array.from((await score(model, [[1, 2]])).scores)).toEqual([0, 0]);
  });
});

describe('providers', () => {
  test('are tried in order, and every answer says that a later one gave it', async () => {
    const providers = ['foo', 'tensorrt', 'cpu'];
    const model = await inference.open({ ...limits, model: modelFile('identity'), providers });
    expect(model.provider).toBe('cpu');
    expect((await score(model, [[1, 2, 3, 4]])).degraded).toEqual(['cpu']);
    expect(warnings).toEqual([
      expect.stringMatching(/identity\.onnx does not run on foo: not part of .* cpu.*; it runs on cpu$/),
      expect.stringMatching(/identity\.onnx does not run on tensorrt: .*; it runs on cpu$/s),
    ]);
  });

  test('are refused together when none is there', async () => {
    await expect(inference.open({ ...limits, model: modelFile('identity'), providers: ['foo'] })).rejects.toMatchObject(
      { message: expect.stringContaining('foo: not part of'), hint: expect.stringContaining("'cpu'") },
    );
  });
});

describe('a model of tensors', () => {
  /** Rows of one token or two, by turns; each gets the first token's two numbers. */
  const vectors = async (model: ModelHandle, tokens: readonly number[]) => {
    const laneOf = (row: number) => row % 2;
    const { scores } = await model.run(
      tokens.length,
      (row, [ids], place) => {
        const length = laneOf(row) + 1;
        (ids as BigInt64Array).fill(BigInt(tokens[row] ?? 0), place * length, (place + 1) * length);
      },
      laneOf,
    );
    return Array.from(scores);
  };
  const tokens = Array.from({ length: 300 }, (_, i) => i % 8);
  const expected = tokens.flatMap((token) => [token * 2, token * 2 + 1]);

  test('keeps every row with its caller, and comes back with all its lengths when its worker dies', async () => {
    const tensors = { inputs: ['input_ids'], lengths: [1, 2], pooling: 'first' } as const;
    const model = await inference.open({ ...limits, model: modelFile('token-table'), tensors });
    expect(model).toMatchObject({ inputs: [{ type: 'int64', shape: [null] }], lengths: [1, 2], outputSize: 2 });
    expect(await vectors(model, tokens)).toEqual(expected);
    await workers[0]?.terminate();
    expect(await vectors(model, tokens)).toEqual(expected);
    expect(workers).toHaveLength(2);
  });

  test('is given smaller batches when memory runs out, and its bad rows fail alone', async () => {
    const tensors = { inputs: ['x'] };
    const rows = sequence(100, (i) => i);
    const hungry = await inference.open({ ...limits, batchMax: 100, model: modelFile('hungry'), tensors });
    expect(Array.from((await score(hungry, rows)).scores)).toEqual(rows.flat());
    const starving = await inference.open({ ...limits, model: modelFile('starving'), tensors });
    const { failures } = await score(
      starving,
      rows.map(([i]) => [i === 7 ? 2_000 : (i ?? 0)]),
    );
    expect([...failures.keys()]).toEqual([7]);
  });

  test('is loaded once for each choice of its output', async () => {
    const tensors = { inputs: ['input_ids'], lengths: [2] };
    const open = (pooling?: 'first') =>
      inference.open({
        ...limits,
        model: modelFile('token-table'),
        tensors: { ...tensors, ...(pooling && { pooling }) },
      });
    expect((await open()).outputSize).toBe(4);
    expect((await open('first')).outputSize).toBe(2);
    expect(await open()).toBe(await open());
  });
});

describe('the end of the service', () => {
  test('lets calls under way end, and refuses later ones', async () => {
    const model = await inference.open({ ...limits, model: modelFile('identity') });
    const last = score(
      model,
      Array.from({ length: 1_000 }, (_, i) => [i, 0, 0, 0]),
    );
    const closing = inference.close();
    expect((await last).scores[4 * 999]).toBe(999);
    await closing;
    await expect(score(model, [[1, 2, 3, 4]])).rejects.toThrow('the inference service is closed');
    await expect(inference.open({ ...limits, model: modelFile('mlp') })).rejects.toThrow('closed');
    await inference.close();
  });

  test('is quick where nothing was ever opened', async () => {
    await inference.close();
    expect(workers).toHaveLength(0);
  });

  /** Runs a program of its own, since it is about how processes end. */
  const program = (body: string): Promise<{ readonly code: number | null; readonly output: string }> => {
    const source = `
      import { createInference } from ${JSON.stringify(new URL('../../src/inference/index.ts', import.meta.url).href)};
      const inference = createInference();
      const model = await inference.open({ model: new URL(${JSON.stringify(modelFile('forest').href)}), batchMax: 4096, waitMax: 5, providers: ['cpu'] });
      const run = () => model.run(1_000_000, (row, [into], place) => into.fill(row, place * 20, (place + 1) * 20));
      ${body}`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, args, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, output: `${stdout}${stderr}` }),
      );
    });
  };

  test('an idle service does not keep the process alive', async () => {
    expect(await program(`await run(); console.log('done');`)).toEqual({ code: 0, output: 'done\n' });
  });

  test('a waiting call does', async () => {
    expect(await program(`run().then(() => console.log('answered'));`)).toEqual({ code: 0, output: 'answered\n' });
  });

  test('a process that exits inside a batch exits as it wanted to', async () => {
    const body = `run(); setTimeout(() => { console.log('exit'); process.exit(7); }, 20);`;
    expect(await program(body)).toEqual({ code: 7, output: 'exit\n' });
  });

  test('an uncaught error inside a batch is reported, not drowned in an abort', async () => {
    const { code, output } = await program(`run(); setTimeout(() => { throw new Error('the cause'); }, 20);`);
    expect(code).toBe(1);
    expect(output).toContain('the cause');
  });

  test('closing ends the process without a signal', async () => {
    const body = `run(); await inference.close(); console.log('closed');`;
    expect(await program(body)).toEqual({ code: 0, output: 'closed\n' });
  });
});
