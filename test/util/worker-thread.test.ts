import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.js';
import { isOutOfMemory, WorkerThread, type WorkerThreadOptions } from '../../src/util/worker-thread.js';
import type { Calculations } from './calculations.js';

const started: WorkerThread<Calculations>[] = [];
afterEach(() => {
  for (const thread of started.splice(0)) thread.end();
});

function start(options: Partial<WorkerThreadOptions> = {}): WorkerThread<Calculations> {
  const thread = new WorkerThread<Calculations>({
    from: import.meta.url,
    module: 'calculations',
    name: 'calculations',
    failure: (why, cause) => new MillraceError('internal', `the thread ${why}`, { cause }),
    ...options,
  });
  started.push(thread);
  return thread;
}

describe('WorkerThread', () => {
  it('answers calls in their order, and moves what is transferred there and back', async () => {
    const thread = start({ data: { rate: 3 } });
    const numbers = Float64Array.of(1, 2, 4);
    const order: string[] = [];
    const [, sum, data] = await Promise.all([
      thread.call('wait', 30).then(() => order.push('wait')),
      thread.call('sum', numbers, { transfer: [numbers.buffer] }).then((answer) => {
        order.push('sum');
        return answer;
      }),
      thread.call('data', undefined),
    ]);
    expect(sum).toEqual({ sum: 7, numbers: Float64Array.of(1, 2, 4) });
    expect(numbers.length).toBe(0);
    expect(data).toEqual({ rate: 3 });
    expect(order).toEqual(['wait', 'sum']);
  });

  it('throws what the thread throws, field by field, and goes on', async () => {
    const thread = start();
    const known = { code: 'state', message: 'no such row', where: 'row 7', hint: 'look elsewhere', permanent: true };
    await expect(thread.call('refuse', 'known')).rejects.toMatchObject(known);
    const unknown = { code: 'sink', message: 'out of range', where: undefined, hint: undefined, permanent: false };
    await expect(thread.call('refuse', 'unknown')).rejects.toMatchObject(unknown);
    expect(await thread.call('wait', 1)).toBe(1);
  });

  it.each([
    ['throw', 'the thread died (it fell)'],
    ['exit', 'the thread died (exit code 3)'],
  ] as const)('fails every pending call and those that follow where the thread ends: %s', async (how, message) => {
    let ends = 0;
    const thread = start({ onEnd: () => void ends++ });
    const calls = [thread.call('die', how), thread.call('wait', 1), thread.call('wait', 2)];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'internal', message });
    await expect(thread.call('wait', 1)).rejects.toMatchObject({ message });
    await thread.gone();
    expect([thread.hasEnded, ends]).toEqual([true, 1]);
  });

  it('tells a thread that ran out of its heap from others', async () => {
    const thread = start({ heapMebibytesMax: 32 });
    const error = await thread.call('die', 'memory').catch((cause: unknown) => cause);
    expect(isOutOfMemory((error as MillraceError).cause)).toBe(true);
  });

  it('ends a thread that makes no progress, and no other one', async () => {
    const stallMax = 1_500;
    const busy = start();
    await busy.call('hang', { forMs: 3_000, working: true }, { stallMax });
    const hung = start();
    const waiting = hung.call('hang', { forMs: 60_000, working: false }, { stallMax });
    await expect(waiting).rejects.toMatchObject({ message: 'the thread made no progress for 1.5 s' });
    await hung.gone();
  });

  it('can be ended, by itself when it rests, and by its last call', async () => {
    const ended = start();
    const waiting = ended.call('wait', 60_000);
    ended.end();
    await expect(waiting).rejects.toMatchObject({ message: 'the thread was ended' });

    const resting = start();
    await resting.call('wait', 1);
    resting.rest(200);
    await resting.call('wait', 400); // a call in time is not disturbed
    expect(resting.hasEnded).toBe(false);
    resting.rest(10);
    await resting.gone();
    expect(resting.hasEnded).toBe(true);

    const finished = start();
    await finished.call('finish', undefined);
    await finished.gone();
  });

  it('keeps the process alive while a call is pending, and not otherwise', () => {
    const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      import { WorkerThread } from ${at('../../src/util/worker-thread.ts')};
      const thread = new WorkerThread({ from: ${at('./worker-thread.test.ts')}, module: 'calculations', name: 'c', failure: (why) => new Error(why) });
      thread.call('wait', 300).then((ms) => console.log('waited', ms));`;
    const options = {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
      timeout: 20_000,
    } as const;
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      options,
    );
    expect([stdout, status]).toEqual(['waited 300\n', 0]);
  });
});
