import { describe, expect, it } from 'vitest';
import { ByteBudget, InFlight } from '../../src/runtime/in-flight.js';

describe('InFlight', () => {
  it('counts a round until the slowest leaf is through with it', async () => {
    const inFlight = new InFlight(2);
    inFlight.push(10, 0);
    inFlight.push(5, 0);
    inFlight.finish(0);
    inFlight.finish(0);
    expect(inFlight.records).toBe(15);
    inFlight.finish(1);
    expect(inFlight.records).toBe(5);
    inFlight.finish(1);
    expect(inFlight.records).toBe(0);
  });

  it('wakes those whose credit has come, and only those', async () => {
    const inFlight = new InFlight(1);
    inFlight.push(10, 0);
    inFlight.push(10, 0);
    const woken: number[] = [];
    const some = inFlight.fewerThan(15).then(() => woken.push(15));
    const all = inFlight.fewerThan(1).then(() => woken.push(1));
    inFlight.finish(0);
    await some;
    expect(woken).toEqual([15]);
    inFlight.finish(0);
    await all;
    expect(woken).toEqual([15, 1]);
  });

  it('gives credit by bytes as well as by records', async () => {
    const inFlight = new InFlight(1);
    inFlight.push(1, 800);
    inFlight.push(1, 300);
    let woken = false;
    const waiting = inFlight.fewerThan(100, 500).then(() => {
      woken = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    inFlight.finish(0);
    await waiting;
  });

  it('rejects everybody who waits, and everybody after, with the first failure', async () => {
    const inFlight = new InFlight(1);
    inFlight.push(1, 0);
    const waiting = inFlight.fewerThan(1);
    inFlight.fail(new Error('first'));
    inFlight.fail(new Error('second'));
    await expect(waiting).rejects.toThrow('first');
    await expect(inFlight.fewerThan(100)).rejects.toThrow('first');
    expect(() => inFlight.throwIfFailed()).toThrow('first');
  });
});

it('divides the bytes among the tasks that are open, and counts a task that closes once', async () => {
  const budget = new ByteBudget(1_024);
  const [first, second, third] = [budget.join(), budget.join(), budget.join()];
  expect(first).toMatchObject({ uncommitted: 1_024 / 3, inFlight: 1_024 / 6, buffered: 1_024 / 12, round: 1_024 / 12 });
  await third.close();
  await third.close();
  expect([first.uncommitted, second.uncommitted]).toEqual([512, 512]);
  expect(new ByteBudget().join().round).toBe(4 * 1_024 * 1_024);
});
