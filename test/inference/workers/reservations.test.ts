import { expect, test } from 'vitest';
import { reservations } from '../../../src/inference/workers/reservations.js';

/** Work that ends when the test says so. */
function work() {
  const { promise, resolve, reject } = withResolvers<string>();
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return promise;
  };
  return { begin, resolve, reject, hasBegun: () => hasBegun };
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    [resolve, reject] = [onValue, onError];
  });
  return { promise, resolve, reject };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('of several workers one is reserved at a time, also after work that failed', async () => {
  const reserve = reservations(2);
  const isReserved = [false, false];
  const tell = (worker: number) => (is: boolean) => {
    isReserved[worker] = is;
  };
  const [first, second] = [work(), work()];
  const one = reserve(tell(0), first.begin);
  const two = reserve(tell(1), second.begin);
  await settle();
  expect([isReserved, second.hasBegun()]).toEqual([[true, false], false]);
  first.reject(new Error('no such model'));
  await expect(one).rejects.toThrow('no such model');
  await settle();
  expect([isReserved, second.hasBegun()]).toEqual([[false, true], true]);
  second.resolve('done');
  expect(await two).toBe('done');
  expect(isReserved).toEqual([false, false]);
});

test('one that is alone is never reserved', async () => {
  const alone = work();
  const told: boolean[] = [];
  const done = reservations(1)((is) => told.push(is), alone.begin);
  expect(alone.hasBegun()).toBe(true);
  alone.resolve('done');
  expect([await done, told]).toEqual(['done', []]);
});
