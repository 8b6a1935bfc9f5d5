import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ModelHandle } from '../../src/core/index.js';
import { createInference } from '../../src/inference/index.js';
import { generator } from '../random.js';
import { mlp } from './onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-idle-checks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The runs that threads were sent and have not answered, and the most that there were. */
const runs = { underWay: 0, most: 0 };
function watch(thread: Worker): void {
  const ids = new Set<number>();
  const post = thread.postMessage.bind(thread) as (...args: unknown[]) => void;
  thread.postMessage = ((...args: unknown[]) => {
    const [{ id, kind }] = args as [{ readonly id: number; readonly kind: string }];
    if (kind === 'run') {
      ids.add(id);
      runs.most = Math.max(runs.most, ++runs.underWay);
    }
    post(...args);
  }) as typeof thread.postMessage;
  thread.on('message', ({ id }: { readonly id: number }) => {
    if (ids.delete(id)) runs.underWay--;
  });
}
beforeEach(() => void process.on('worker', watch));
afterEach(() => void process.off('worker', watch));

test.each([1, 2])(
  '%i idle workers are asked golden inputs of one model after the other, so that rows wait for one at most',
  async (workers) => {
    const inference = createInference({ workers, checkEveryMs: 20 });
    const handles: ModelHandle[] = [];
    for (let seed = 1; seed <= 5; seed++) {
      const file = join(folder, `${seed}.onnx`);
      writeFileSync(file, mlp([4, 64, 2], generator(seed)));
      const spec = { model: pathToFileURL(file), batchMax: 8, waitMax: 2, providers: ['cpu'] };
      handles.push(await inference.open(spec));
    }
    const checks = () => handles.map((handle) => handle.stats().checks ?? 0);
    const before = checks();
    runs.most = runs.underWay;
    await vi.waitFor(() => expect(checks().every((count, i) => count >= (before[i] as number) + 4)).toBe(true), 5_000);
    expect(runs.most).toBe(1);
    await inference.close();
  },
);
