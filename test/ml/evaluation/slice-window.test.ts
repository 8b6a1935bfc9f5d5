import { expect, it } from 'vitest';
import { accumulatorOf } from '../../../src/aggregates/accumulator.js';
import { max } from '../../../src/aggregates/index.js';
import { noRecord } from '../../../src/core/index.js';
import { countsOf, heldRows, METRICS, type SliceWindow, targetOf } from '../../../src/ml/evaluation/slice-window.js';
import { slotCell, timerCell } from '../../../src/state/index.js';

interface Judged {
  readonly label: number;
}

function opened() {
  const accumulator = accumulatorOf<Judged>({ most: max(({ label }: Judged) => label) });
  const windows = slotCell<SliceWindow>().open();
  const rows = timerCell<number>({ timersMax: 10 }).open();
  for (const place of [0, 1, 2]) {
    const numbers = new Float64Array(METRICS + accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, METRICS, states, 0);
    windows.set(place, { slice: 0, value: '', version: '', startMs: 0, numbers, states });
  }
  const held = heldRows({ windows, rows, accumulator, everyMs: 10, across: 2, step: 'quality' });
  const targets = [0, 1, 2].map(targetOf);
  const to = (...places: number[]) => places.map((place) => targets[place] as (typeof targets)[number]);
  const at = (place: number) => countsOf(windows.get(place)?.numbers as Float64Array);
  return { held, rows, at, to };
}
const label = (after: number) => ({ before: null, after: { label: after }, isAssumed: false, wasAssumed: false });

it('holds no more than 256 labels, and nothing of two intervals', () => {
  const { held, rows, at, to } = opened();
  for (let i = 0; i < 300; i++) held.predict(to(0, 1 + (i % 2)), 3);
  for (let i = 0; i < 256; i++) held.judge(to(0, 1), 9, label(4));
  expect([at(0).predicted, at(0).labelled]).toEqual([0, 0]);
  expect([held.dueMs(), rows.nextMs]).toEqual([10, Number.POSITIVE_INFINITY]);
  held.judge(to(0, 2), 9, label(4));
  expect([0, 1, 2].map((place) => at(place).predicted)).toEqual([300, 150, 150]);
  expect([0, 1, 2].map((place) => at(place).labelled)).toEqual([256, 256, 0]);
  held.predict(to(0, 2), 10);
  expect([0, 1, 2].map((place) => at(place).labelled)).toEqual([257, 256, 1]);
  expect([held.dueMs(), rows.nextMs]).toEqual([20, 10]);
  held.settle();
  expect([held.dueMs(), at(0).predicted]).toEqual([Number.POSITIVE_INFINITY, 301]);
  held.settle();
  expect(at(0)).toEqual({ predicted: 301, labelled: 257, assumed: 0, corrected: 0 });
});

it('makes rows due that lie before what is held', () => {
  const { held, rows, at, to } = opened();
  held.predict(to(0, 1), 25);
  held.judge(to(0, 2), 4, label(1));
  expect([at(0).predicted, held.dueMs(), rows.nextMs]).toEqual([1, 10, 30]);
});

it('names the step and the record that a metric could not take', () => {
  const { held, to } = opened();
  held.judge(to(0, 1), 1, label(1), { ...noRecord('labels'), offset: 7 });
  held.judge(to(0, 1), 1, { ...label(2), after: null as never }, { ...noRecord('labels'), partition: 3, offset: 8 });
  held.judge(to(0, 1), 1, label(3), { ...noRecord('labels'), offset: 9 });
  expect(held.settle).toThrow(
    expect.objectContaining({ code: 'step', where: 'quality', message: expect.stringContaining(' at labels[3]@8') }),
  );
});
