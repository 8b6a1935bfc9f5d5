import { expect, it } from 'vitest';
import { baselineCells, lastClass, majority, openBaselines, rateBy, runningRate } from '../../../src/ml/index.js';
import { openCells } from '../support.js';

interface Row {
  readonly hour: number;
}

function open() {
  const baselines = Object.entries({
    hourRate: rateBy({ by: (row: Row) => row.hour, groupsMax: 2 }),
    rate: runningRate(),
    last: lastClass(),
    majority: majority(),
  });
  const cells = openCells(baselineCells(baselines));
  const beside = openBaselines<Row>(baselines, cells as Parameters<typeof openBaselines<Row>>[1]);
  return {
    say(hour: number) {
      const said: number[] = [];
      beside.predict(beside.groupsOf({ hour }), said);
      return said.slice(1);
    },
    learn: (hour: number, label: boolean) => beside.learn(beside.groupsOf({ hour }), label),
  };
}

it('know nothing at first', () => expect(open().say(8)).toEqual([0.5, 0.5, 0.5, 0.5]));

it('say the rate of the group, the rate, the last class and the majority', () => {
  const { say, learn } = open();
  learn(8, true);
  learn(8, true);
  learn(9, false);
  expect(say(8)).toEqual([3 / 4, 3 / 5, 0, 1]);
  expect(say(9)).toEqual([1 / 3, 3 / 5, 0, 1]);
  learn(9, false);
  expect(say(9)[3]).toBe(0); // a tie says no
  learn(8, true);
  expect(say(8)).toEqual([4 / 5, 4 / 7, 1, 1]);
});

it('keep so many groups and no more', () => {
  const { say, learn } = open();
  for (const hour of [1, 2, 3]) learn(hour, true);
  expect([1, 2, 3].map((hour) => say(hour)[0])).toEqual([0.5, 2 / 3, 2 / 3]);
});
