import { delay, filter, map, mergeMap, of, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Operator, StepContext, TransformShape } from '../../src/core/index.js';
import { rx } from '../../src/runtime/index.js';

const open = (operator: Operator<never, unknown>) => {
  const emitted: unknown[] = [];
  const logic = (operator.shape as TransformShape).open({ step: 'hubs' } as StepContext);
  const push = (value: unknown) => logic(value, (out) => emitted.push(out), {} as never);
  return { emitted, push };
};

describe('rx', () => {
  it('runs RxJS operators record by record', () => {
    const { emitted, push } = open(
      rx(
        filter((n: number) => n % 2 === 0),
        map((n) => n * 10),
        mergeMap((n) => of(n, n + 1)),
      ),
    );
    for (const n of [1, 2, 3, 4]) push(n);
    expect(emitted).toEqual([20, 21, 40, 41]);
  });

  it('refuses what is emitted later: nobody could say for which record', async () => {
    const { push } = open(rx(delay(1)));
    push(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(() => push(2)).toThrow(/asynchronously/);
  });

  it('refuses an operator that ends the stream', () => {
    const { push } = open(rx(take(1)));
    expect(() => push(1)).toThrow(/ended the stream/);
  });

  it('says which step failed and keeps the cause', () => {
    const { push } = open(
      rx(
        map(() => {
          throw new TypeError('no such field');
        }),
      ),
    );
    expect(() => push(1)).toThrow(
      expect.objectContaining({ code: 'step', where: 'hubs', cause: new TypeError('no such field') }),
    );
  });
});
