import { expect, it } from 'vitest';
import { binaryJudge, classJudge, type Judge, numberJudge } from '../../../src/ml/evaluation/judges.js';
import { scoreboard, scoreboardSize, type WindowScores } from '../../../src/ml/evaluation/scoreboard.js';
import { meanInterval, shareInterval } from '../../../src/ml/metrics/intervals.js';
import { float64Cell } from '../../../src/state/index.js';

const hour = 3_600_000;
const open = (judge: Judge = binaryJudge) => {
  const cell = float64Cell({ size: scoreboardSize(judge, 2) }).open();
  return { cell, board: scoreboard(cell, judge, 2, hour) };
};
const scoresOf = (window: WindowScores | undefined, scorer: number) =>
  Object.fromEntries(window?.scorers[scorer] ?? []);

it('scores each scorer over a window of event time, and begins anew', () => {
  const { board } = open();
  expect(board.turn(10 * hour + 5)).toBeUndefined();
  board.add([0.9, 0.5], 1);
  board.add([0.2, 0.5], 0);
  board.add([0.6, 0.5], 0);
  expect(board.turn(11 * hour - 1)).toBeUndefined();
  const window = board.turn(11 * hour);
  expect(window).toMatchObject({ endMs: 11 * hour, labelled: 3, labels: [['positives', 1, undefined, 'sum']] });
  expect(scoresOf(window, 0).log_loss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.8) + Math.log(0.4)) / 3, 12);
  expect(scoresOf(window, 0)).toMatchObject({ roc_auc: 1, accuracy: 2 / 3 });
  expect(scoresOf(window, 1)).toMatchObject({ roc_auc: 0.5, accuracy: Number.NaN });
  board.add([0.1, 0.1], 1);
  expect(board.turn(15 * hour)).toMatchObject({
    endMs: 12 * hour,
    labelled: 1,
    labels: [['positives', 1, undefined, 'sum']],
  });
  expect(board.turn(16 * hour)).toBeUndefined();
});

it('says how sure it is: accuracy and ROC AUC of probabilities, accuracy of classes, the mean error of numbers', () => {
  const intervalsOf = (judge: Judge, rows: number, of: (i: number) => readonly [said: number[], truth: number]) => {
    const { board } = open(judge);
    board.turn(hour);
    for (let i = 0; i < rows; i++) board.add(...of(i));
    const model = board.turn(2 * hour)?.scorers[0] ?? [];
    return Object.fromEntries(model.flatMap(([name, , interval]) => (interval ? [[name, interval]] : [])));
  };
  const binary = intervalsOf(binaryJudge, 40, (i) => [[(i % 8) / 8 + 0.05, 0.5], Number(i % 3 === 0)]);
  expect(Object.keys(binary)).toEqual(['roc_auc', 'accuracy']);
  expect(binary.accuracy).toEqual(shareInterval(20, 40));
  const numbers = intervalsOf(numberJudge, 40, (i) => [[i % 2 === 0 ? 1 : 3, 0], 0]);
  expect(numbers).toEqual({ mae: meanInterval(2, 5, 40) });
  const classes = intervalsOf(classJudge(2), 10, (i) => [[0.9, 0.1, 0], Number(i < 3)]);
  expect(classes).toEqual({ accuracy: shareInterval(7, 10) });
});

it('goes on where a stored one stopped', () => {
  const { cell, board } = open();
  board.turn(hour);
  board.add([0.7, 0.3], 1);
  const restored = open();
  for (const { bucket, bytes } of cell.takeChanges()) if (bytes) restored.cell.restore(bucket, bytes, 1);
  for (const each of [board, restored.board]) each.add([0.4, 0.6], 0);
  expect(restored.board.turn(2 * hour)).toEqual(board.turn(2 * hour));
  expect(restored.cell.values).toEqual(cell.values);
});

it('scores numbers by how far off they are', () => {
  const { board } = open(numberJudge);
  board.turn(hour);
  board.add([3, 0], 1);
  board.add([-1, 0], 3);
  const window = board.turn(2 * hour);
  expect(window?.labels).toEqual([['label_mean', 2]]);
  expect(scoresOf(window, 0)).toEqual({ mae: 3, rmse: Math.sqrt(10) });
  expect(scoresOf(window, 1)).toEqual({ mae: 2, rmse: Math.sqrt(5) });
});

it('scores classes by the greatest score of the model and the class that a baseline says', () => {
  const { board } = open(classJudge(3));
  board.turn(hour);
  board.add([0.5, 0.3, 0.2, 2], 0);
  board.add([0.5, 0.4, 0.1, 1], 1);
  board.add([0.1, 0.8, 0.1, 0], 1);
  const window = board.turn(2 * hour);
  const { log_loss: logLoss, ...rest } = scoresOf(window, 0);
  expect(logLoss).toBeCloseTo(-(Math.log(0.5) + Math.log(0.4) + Math.log(0.8)) / 3, 12);
  expect(rest).toEqual({ accuracy: 2 / 3, macro_f1: 2 / 3 }); // 2 x 1 of 1 + 2, and 2 x 1 of 2 + 1; no class 2
  expect(scoresOf(window, 1)).toEqual({ accuracy: 1 / 3, log_loss: Number.NaN, macro_f1: 2 / 3 / 3 });
});
