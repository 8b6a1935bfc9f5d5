import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { InferenceService, ModelHandle } from '../../src/core/index.js';
import { createInference, type InferenceOptions } from '../../src/inference/index.js';
import { generator } from '../random.js';
import { turning } from './onnx.js';

const modelFile = (name: string) => new URL(`./models/${name}.onnx`, import.meta.url);
const limits = { batchMax: 16, waitMax: 2, providers: ['cpu'] };
/** As many turns of a loop as a model does not end in the time of a test. */
const FOREVER = 1e12;

let folder: string;
let turningFile: URL;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-faults-'));
  await writeFile(join(folder, 'turning.onnx'), turning());
  turningFile = pathToFileURL(join(folder, 'turning.onnx'));
});
afterAll(() => rm(folder, { recursive: true }));

let warnings: string[];
let threads: Worker[];
let inference: InferenceService;
const noteThread = (thread: Worker) => threads.push(thread);
const start = (options: InferenceOptions) => {
  inference = createInference({ ...options, onWarning: (message) => warnings.push(message) });
  return inference;
};
beforeEach(() => {
  warnings = [];
  threads = [];
  process.on('worker', noteThread);
});
afterEach(async () => {
  await inference.close();
  process.off('worker', noteThread);
});

const score = (model: ModelHandle, rows: readonly (readonly number[])[]) =>
  model.run(rows.length, (row, [into], place) => {
    const numbers = rows[row] ?? [];
    (into as Float32Array).set(numbers, place * numbers.length);
  });
const ones = (values: readonly number[]) => values.map((value) => [value]);
const sequence = (length: number, of: (i: number) => number) => Array.from({ length }, (_, i) => [of(i)]);
const upTo = (rows: number, first = 0) => Array.from({ length: rows }, (_, i) => first + i);

/** The processes of workers, oldest first. */
const processes = (): number[] => {
  try {
    const found = execFileSync('pgrep', ['-P', `${process.pid}`, '-f', 'inference/worker'], { encoding: 'utf8' });
    return found.trim().split('\n').map(Number);
  } catch {
    return [];
  }
};
const signal = (name: NodeJS.Signals) => {
  for (const pid of processes()) process.kill(pid, name);
};

/** Calls of many sizes, some while workers die; each must be answered with its own rows, in order. */
async function callThrough(model: ModelHandle, calls: number, disturb: () => void): Promise<void> {
  const random = generator(7);
  const order: number[] = [];
  const answers: Promise<unknown>[] = [];
  for (let call = 0; call < calls; call++) {
    const rows = Array.from({ length: Math.floor(random() * 60) }, (_, row) => [call, row, call * row, -row]);
    answers.push(
      score(model, rows).then(({ scores, failures }) => {
        order.push(call);
        expect(Array.from(scores)).toEqual(rows.flat());
        expect(failures.size).toBe(0);
      }),
    );
    if (call % 50 === 25) disturb();
    if (call % 10 === 0) await sleep(random() * 20);
  }
  await Promise.all(answers);
  expect(order).toEqual(upTo(calls));
}

describe.each(['thread', 'process'] as const)('in a %s', (isolation) => {
  const open = (model: URL) => start({ isolation }).open({ ...limits, batchMax: 64, model });

  test('a row that the model cannot score is named, and the others are answered', async () => {
    const model = await open(modelFile('table'));
    const rows = sequence(100, (i) => (i === 13 || i === 70 ? 1_000 : i % 8));
    const { scores, failures } = await score(model, rows);
    expect([...failures.keys()]).toEqual([13, 70]);
    expect(failures.get(13)).toMatch(/out of data bounds/);
    for (const [i, [value = 0]] of rows.entries()) if (!failures.has(i)) expect(scores[i]).toBe(value * 10);
    const { failures: none } = await score(
      model,
      sequence(100, (i) => i % 8),
    );
    expect(none.size).toBe(0);
  });

  test('memory that runs out makes smaller batches, from the warm-up on', async () => {
    const model = await open(modelFile('hungry'));
    const rows = sequence(500, (i) => i);
    const { scores, failures } = await score(model, rows);
    expect(failures.size).toBe(0);
    expect(Array.from(scores)).toEqual(rows.flat());
  });

  test('a single row that asks for all memory fails alone', async () => {
    const model = await open(modelFile('starving'));
    const rows = sequence(10, (i) => (i === 4 ? 2_000 : i));
    const { scores, failures } = await score(model, rows);
    expect([...failures.keys()]).toEqual([4]);
    expect(scores[9]).toBe(9);
  });

  test('a file that is no model, and one of another shape, are refused, and others are answered', async () => {
    await expect(open(new URL(import.meta.url))).rejects.toMatchObject({ code: 'model' });
    await inference.close();
    await expect(open(modelFile('any-width'))).rejects.toMatchObject({ code: 'model' });
    const model = await inference.open({ ...limits, model: modelFile('identity') });
    // What is no number passes through: who asks decides about it.
    expect(Array.from((await score(model, [[1, Number.NaN, 3, 4]])).scores)).toEqual([1, Number.NaN, 3, 4]);
  });
});

describe('a worker that dies', () => {
  test('as a thread, by what is thrown in it, costs its rows a retry', async () => {
    const model = await start({ workers: 2 }).open({ ...limits, model: modelFile('identity') });
    await callThrough(model, 200, () => threads.at(-1)?.postMessage(null));
    expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toMatch(/^inference worker [01] died \(.*scored again$/);
  });

  test('as a process, by SIGKILL, costs its rows a retry', async () => {
    const model = await start({ isolation: 'process' }).open({ ...limits, model: modelFile('identity') });
    await callThrough(model, 200, () => signal('SIGKILL'));
    expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toContain('the inference worker died (SIGKILL)');
  });

  test('again and again, without an answer in between, rejects the calls as what may pass, and later ones are answered', async () => {
    const model = await start({ isolation: 'process' }).open({ ...limits, model: modelFile('identity') });
    signal('SIGKILL');
    const killing = setInterval(() => signal('SIGKILL'), 20);
    try {
      await expect(score(model, [[1, 2, 3, 4]])).rejects.toMatchObject({
        code: 'inference',
        permanent: false,
        message: 'the inference worker was lost 25 times in a row: it died (SIGKILL)',
      });
    } finally {
      clearInterval(killing);
    }
    expect(Array.from((await score(model, [[1, 2, 3, 4]])).scores)).toEqual([1, 2, 3, 4]);
  });
});

describe('a worker that hangs', () => {
  test('as a process is killed, and its rows are scored again', async () => {
    const options = { isolation: 'process', hungFloorMs: 400 } as const;
    const model = await start(options).open({ ...limits, model: modelFile('identity') });
    const [first] = processes();
    signal('SIGSTOP');
    const startedMs = performance.now();
    const { scores } = await score(model, [[1, 2, 3, 4]]);
    expect(Array.from(scores)).toEqual([1, 2, 3, 4]);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(processes()).not.toContain(first);
    expect(warnings).toEqual([expect.stringMatching(/^the inference worker hangs \(no answer for 0\.\d+ s\)/)]);
  });

  test('at one row of a batch loses that row, not the others, and stops no other model', async () => {
    const options = { isolation: 'process', workers: 2, hungFloorMs: 400 } as const;
    const service = start(options);
    const model = await service.open({ ...limits, model: turningFile });
    const other = await service.open({ ...limits, model: modelFile('identity') });
    const values = upTo(16).map((i) => (i === 5 ? FOREVER : i / 16));
    let isOver = false;
    const poisoned = score(model, ones(values)).finally(() => {
      isOver = true;
    });
    const after = score(model, ones([0.25]));
    let answered = 0;
    for (; !isOver; answered++) {
      await score(other, [[1, 2, 3, 4]]);
      await sleep(10);
    }
    const { scores, failures } = await poisoned;
    expect([...failures]).toEqual([[5, 'the inference worker died or hung 3 times at this row']]);
    for (const [i, value] of values.entries()) if (i !== 5) expect(scores[i]).toBe(value);
    expect((await after).scores[0]).toBe(0.25);
    // A row that finds both workers hung waits until one is given up; on a busy machine that happens again and again.
    expect(answered).toBeGreaterThan(1);
  });

  test('stopped while the service closes does not stop the close', async () => {
    const options = { isolation: 'process', hungFloorMs: 400 } as const;
    const model = await start(options).open({ ...limits, model: modelFile('identity') });
    signal('SIGSTOP');
    const call = score(model, [[1, 2, 3, 4]]);
    await inference.close();
    expect(Array.from((await call).scores)).toEqual([1, 2, 3, 4]);
    expect(processes()).toEqual([]);
  });

  /** A program of its own: a thread that hangs cannot be ended. */
  const program = (body: string): Promise<{ readonly output: string }> => {
    const source = `
      import { createInference } from ${JSON.stringify(new URL('../../src/inference/index.ts', import.meta.url).href)};
      const inference = createInference({ hungFloorMs: 400, onWarning: (text) => console.log(text.slice(0, 40)) });
      const model = await inference.open({ model: new URL(${JSON.stringify(turningFile.href)}), batchMax: 16, waitMax: 1, providers: ['cpu'] });
      const run = (values) => model.run(values.length, (row, [into], place) => { into[place] = values[row]; });
      ${body}`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
    return new Promise((resolve) => {
      execFile(process.execPath, args, { timeout: 60_000, killSignal: 'SIGKILL' }, (_, stdout) =>
        resolve({ output: stdout }),
      );
    });
  };

  test('as a thread is given up, and another answers, at most some times', async () => {
    const { output } = await program(`
      // Long for the first try, not for the second.
      let asked = 0;
      const { scores } = await model.run(2, (row, [into], place) => { into[place] = row === 1 && asked++ === 0 ? ${FOREVER} : 0.5; });
      console.log(...scores);
      await run([${FOREVER}]).catch((error) => console.log(error.code, error.permanent, error.message));
      await inference.close();
      console.log('closed');`);
    // The process ends too, though some of its threads never do.
    expect(output.split('\n')).toEqual([
      'the inference worker hangs (no answer fo',
      '0.5 0.5',
      'the inference worker hangs (no answer fo',
      'the inference worker hangs (no answer fo',
      'the inference worker hangs (no answer fo',
      'inference true 4 inference threads hang and cannot be ended',
      'closed',
      '',
    ]);
  });
});
