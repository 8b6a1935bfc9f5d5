import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InferenceService, ModelHandle, ModelSpec } from '../../src/core/index.js';
import { createInference, type InferenceOptions } from '../../src/inference/index.js';
import { generator } from '../random.js';
import { mlp, turning } from './onnx.js';

/** What a fault may cost a row, from when it is asked about to its answer. */
const RECOVERY_MS = 5_000;

const folder = mkdtempSync(join(tmpdir(), 'millrace-chain-faults-'));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(folder, name), bytes);
  return pathToFileURL(join(folder, name));
};
const modelFile = (name: string) => new URL(`./models/${name}.onnx`, import.meta.url);
/** One number in, the same out; and a network of one number. */
const same = write('same.onnx', turning());
const network = mlp([1, 8, 1], generator(5));
const net = write('net.onnx', network);
const limits = { batchMax: 64, waitMax: 2, providers: ['cpu'] };

let warnings: string[];
let inference: InferenceService;
let corrupting: ((thread: Worker) => void) | undefined;
const noteThread = (thread: Worker) => corrupting?.(thread);
beforeEach(() => {
  warnings = [];
  corrupting = undefined;
  process.on('worker', noteThread);
});
afterEach(async () => {
  await inference.close();
  process.off('worker', noteThread);
});

const open = (options: InferenceOptions, spec: Partial<ModelSpec> & Pick<ModelSpec, 'model'>) => {
  inference = createInference({ hungFloorMs: 400, ...options, onWarning: (message) => warnings.push(message) });
  return inference.open({ ...limits, ...spec });
};
const fallback = (model: URL): ModelSpec[] => [{ ...limits, model }];
const ask = (model: ModelHandle, values: readonly number[]) =>
  model.run(values.length, (row, [into], place) => {
    (into as Float32Array)[place] = values[row] as number;
  });
const report = (name: string) => inference.models?.().find(({ model }) => model === name);
const upTo = (rows: number) => Array.from({ length: rows }, (_, i) => i);

const processes = (): number[] => {
  try {
    const found = execFileSync('pgrep', ['-P', `${process.pid}`, '-f', 'inference/worker'], { encoding: 'utf8' });
    return found.trim().split('\n').map(Number);
  } catch {
    return [];
  }
};

/** Turns one bit of each copy of some bytes in the memory of a process, and says how many there were. */
function corrupt(pid: number, pattern: Buffer): number {
  let found = 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from = '', to = '', rights = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      const [start, size] = [Number.parseInt(from, 16), Number.parseInt(to, 16) - Number.parseInt(from, 16)];
      if (!rights.startsWith('rw') || size > 2 ** 30) continue;
      const bytes = Buffer.alloc(size);
      let read = 0;
      try {
        read = readSync(memory, bytes, 0, size, start);
      } catch {
        continue; // nothing is there
      }
      for (let at = bytes.indexOf(pattern); at >= 0 && at < read; at = bytes.indexOf(pattern, at + 1)) {
        writeSync(memory, Buffer.of((bytes[at + 2] as number) ^ 0x10), 0, 1, start + at + 2);
        found++;
      }
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

/** The first eight biases of `network`, as they lie in the memory of a session. */
function biases(): Buffer {
  const random = generator(5);
  for (let weight = 0; weight < 8; weight++) random();
  return Buffer.from(Float32Array.from({ length: 8 }, () => random() - 0.5).buffer);
}

/** Alters the first score of each answer that a thread gives for the network, as long as `isWrong`. */
function corruptReplies(thread: Worker, isWrong: () => boolean): void {
  const emit = thread.emit.bind(thread) as (event: string, ...args: unknown[]) => boolean;
  thread.emit = ((event: string, ...args: unknown[]) => {
    const [reply] = args as [{ readonly answer?: { readonly scores?: Float32Array; readonly input: ArrayBuffer } }];
    if (event === 'message' && reply.answer?.scores !== undefined && isWrong()) {
      const { scores, input } = reply.answer;
      // The other model gives back what it gets.
      if (scores[0] !== new Float32Array(input)[0]) scores[0] = (scores[0] as number) + 1;
    }
    return emit(event, ...args);
  }) as typeof thread.emit;
}

describe.each(['thread', 'process'] as const)('a chain in a %s', (isolation) => {
  test('has one poison row of 256 answered by the next model, and says which and why', async () => {
    const model = await open({ isolation }, { model: modelFile('table'), fallback: fallback(same) });
    const values = upTo(256).map((i) => (i === 77 ? 99 : i % 8));
    const { scores, failures, degraded, reasons } = await ask(model, values);
    expect(failures.size).toBe(0);
    for (const [i, value] of values.entries()) {
      expect([scores[i], degraded[i], reasons?.[i]]).toEqual(
        i === 77 ? [99, 'same.onnx', 'failed'] : [value * 10, null, null],
      );
    }
    expect(report('table.onnx')).toMatchObject({ failed: 1, isOpen: false });
  });

  test('has what is no number answered by the next model, and stops asking one that gives nothing else', async () => {
    const model = await open({ isolation }, { model: same, fallback: fallback(net) });
    const [good] = (await ask(model, [0.5])).degraded;
    expect(good).toBe(null);
    const { degraded, reasons } = await ask(model, new Array<number>(64).fill(Number.NaN));
    // The network gives no number for them either: nobody answers.
    expect(new Set(degraded)).toEqual(new Set(['net.onnx']));
    expect(new Set(reasons)).toEqual(new Set(['failed']));
    expect(report('same.onnx')).toMatchObject({ notFinite: 64, isOpen: true, openings: 1 });
    expect((await ask(model, [0.5])).reasons).toEqual(['unavailable']);
    const startMs = performance.now();
    while ((await ask(model, [0.5])).reasons !== undefined) await sleep(20);
    expect(performance.now() - startMs).toBeLessThan(RECOVERY_MS);
    expect(report('same.onnx')).toMatchObject({ isOpen: false, wrongChecks: 0 });
  });

  test('is told of a file that is no model, and goes on with the next', async () => {
    const model = await open({ isolation }, { model: new URL(import.meta.url), fallback: fallback(same) });
    expect(await ask(model, [0.5])).toMatchObject({ degraded: ['same.onnx'], reasons: ['unavailable'] });
    expect(warnings).toEqual([expect.stringContaining('cannot be opened')]);
  });

  test('that has no model at all is refused by what is wrong with the first, and nobody is said to answer', async () => {
    const gone = new URL('gone.onnx', import.meta.url);
    const opening = open({ isolation }, { model: new URL(import.meta.url), fallback: fallback(gone) });
    await expect(opening).rejects.toMatchObject({ code: 'model', message: expect.stringContaining('no provider') });
    expect(warnings).toEqual([]);
  });
});

describe('silent corruption', () => {
  test('of a process is found when it idles, and the process is replaced', async () => {
    const options = { isolation: 'process', checkEveryMs: 100 } as const;
    const model = await open(options, { model: net });
    const values = upTo(32).map((i) => i / 32);
    const right = (await ask(model, values)).scores;
    const [pid] = processes() as [number];
    expect(corrupt(pid, biases())).toBeGreaterThan(0);
    const startMs = performance.now();
    while (report('net.onnx')?.wrongChecks === 0) {
      expect(performance.now() - startMs).toBeLessThan(RECOVERY_MS);
      await sleep(20);
    }
    expect((await ask(model, values)).scores).toEqual(right);
    expect(processes()).not.toContain(pid);
    expect(warnings).toEqual([
      expect.stringMatching(/answers golden inputs of .*net.onnx wrongly; another takes its place/),
    ]);
  });

  test('of every session has the next model answer, until one answers rightly again', async () => {
    let isWrong = false;
    corrupting = (thread) => corruptReplies(thread, () => isWrong);
    const model = await open({ checkEveryMs: 100 }, { model: net, fallback: fallback(same) });
    const values = upTo(32).map((i) => i / 32);
    const right = (await ask(model, values)).scores;
    isWrong = true;
    const startMs = performance.now();
    while (report('net.onnx')?.isOpen !== true) {
      expect(performance.now() - startMs).toBeLessThan(RECOVERY_MS);
      await sleep(20);
      await ask(model, values);
    }
    expect(await ask(model, [0.25])).toMatchObject({ degraded: ['same.onnx'], reasons: ['unavailable'] });
    isWrong = false;
    const fixedMs = performance.now();
    for (;;) {
      const { scores, degraded } = await ask(model, values);
      if (degraded[0] === null) {
        expect(scores).toEqual(right);
        break;
      }
      expect(performance.now() - fixedMs).toBeLessThan(RECOVERY_MS);
      await sleep(50);
    }
    expect(report('net.onnx')?.openings).toBeGreaterThan(0);
  });
});
