import { expect, it } from 'vitest';
import { baselineCells, openBaselines } from '../../../src/ml/evaluation/baseline-cells.js';
import {
  type Baseline,
  type LabelKind,
  lastClass,
  lastNumber,
  majority,
  meanBy,
  rateBy,
  runningMean,
  runningRate,
} from '../../../src/ml/index.js';
import { openCells } from '../support.js';

interface Row {
  readonly hour: number;
}

const ofBinary = {
  hourRate: rateBy({ by: (row: Row) => row.hour, groupsMax: 2 }),
  rate: runningRate(),
  last: lastClass(),
  majority: majority(),
};

function open(named: Readonly<Record<string, Baseline<Row, never>>> = ofBinary, kind: LabelKind = 'binary') {
  const baselines = Object.entries(named);
  const cells = openCells(baselineCells(baselines, kind));
  const classes = kind === 'class' ? 3 : 0;
  const beside = openBaselines<Row>(baselines, cells as Parameters<typeof openBaselines<Row>>[1], classes);
  return {
    say(hour: number) {
      const said: number[] = [];
      beside.predict(beside.groupsOf({ hour }), said, 0);
      return said;
    },
    learn: (hour: number, label: boolean | number, weight?: number) =>
      beside.learn(beside.groupsOf({ hour }), Number(label), weight),
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

it('say means and the last of numbers', () => {
  const { say, learn } = open(
    { mean: runningMean(), hourMean: meanBy({ by: (row: Row) => row.hour }), last: lastNumber() },
    'number',
  );
  expect(say(8)).toEqual([0, 0, 0]);
  learn(8, 10);
  learn(8, -4);
  learn(9, 9);
  expect(say(8)).toEqual([5, 3, 9]);
});

it('draw the mean of a group with few labels towards a prior', () => {
  const films = meanBy({ by: (row: Row) => row.hour, prior: 3, priorWeight: 2 });
  const { say, learn } = open({ films, first: meanBy({ by: (row: Row) => row.hour, prior: 3 }) }, 'number');
  expect(say(8)).toEqual([3, 3]);
  learn(8, 5);
  expect(say(8)).toEqual([11 / 3, 5]);
  learn(8, 4);
  expect(say(8)).toEqual([15 / 4, 4.5]);
  expect(say(9)).toEqual([3, 3]);
  expect(() => meanBy({ by: () => 1, priorWeight: -1 })).toThrow('priorWeight is -1');
  expect(() => meanBy({ by: () => 1, prior: Number.NaN })).toThrow('prior is NaN');
});

it('say the last class and the most frequent one, by their places', () => {
  const { say, learn } = open({ last: lastClass(), majority: majority() }, 'class');
  expect(say(8)).toEqual([0, 0]);
  for (const label of [2, 1, 2, 0]) learn(8, label);
  expect(say(8)).toEqual([0, 2]);
  learn(8, 0);
  learn(8, 1);
  expect(say(8)).toEqual([1, 0]); // a tie says the class declared first
});

it('pass over a label or a weight that would end a mean', () => {
  const { say, learn } = open({ mean: runningMean(), last: lastNumber() }, 'number');
  learn(8, 4);
  for (const label of [1e308, 1e308, -1e308, Number.NaN]) learn(8, label);
  for (const weight of [1e308, 1e18]) learn(8, 9, weight);
  learn(8, 6);
  expect(say(8)).toEqual([5, 6]);
});
