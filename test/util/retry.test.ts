import { expect, it } from 'vitest';
import { retry } from '../../src/util/retry.js';

const options = (waits: number[], random = 0) => ({
  retriable: (error: unknown) => (error as Error).message === 'again',
  attemptsMax: 5,
  waitMs: 10,
  waitMaxMs: 40,
  sleep: async (ms: number) => void waits.push(ms),
  random: () => random,
});

function failing(times: number, message = 'again') {
  let calls = 0;
  const work = async () => {
    calls++;
    if (calls <= times) throw new Error(message);
    return calls;
  };
  return { work, calls: () => calls };
}

it('waits longer each time, up to the limit, with jitter', async () => {
  const waits: number[] = [];
  expect(await retry(failing(4).work, options(waits, 0.5))).toBe(5);
  expect(waits).toEqual([7.5, 15, 30, 30]);
});

it('gives up after the last try, with the error of that try', async () => {
  const { work, calls } = failing(99);
  await expect(retry(work, options([]))).rejects.toThrow('again');
  expect(calls()).toBe(5);
});

it('does not repeat what cannot be helped', async () => {
  const { work, calls } = failing(1, 'wrong password');
  await expect(retry(work, options([]))).rejects.toThrow('wrong password');
  expect(calls()).toBe(1);
});

it('gives up when the next wait would end after the time there is, counted from the first failure', async () => {
  const waits: number[] = [];
  const { work, calls } = failing(99);
  const { attemptsMax: _, ...unlimited } = options(waits, 1);
  await expect(retry(work, { ...unlimited, waitMaxMs: 1_000_000, totalMs: 1_000 })).rejects.toThrow('again');
  expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640]); // none of them took any time
  expect(calls()).toBe(8);
});

it('runs what is asked before each further try, and none where nothing was tried again', async () => {
  const causes: unknown[] = [];
  const before = (error: unknown) => void causes.push((error as Error).message);
  expect(await retry(failing(2).work, { ...options([]), before })).toBe(3);
  expect(causes).toEqual(['again', 'again']);
  await expect(retry(failing(1, 'no').work, { ...options([]), before })).rejects.toThrow('no');
  expect(causes).toHaveLength(2);
});
