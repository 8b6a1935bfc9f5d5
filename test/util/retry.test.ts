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
