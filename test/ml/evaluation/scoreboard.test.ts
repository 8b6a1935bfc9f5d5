import { expect, it } from 'vitest';
import { scoreboard, scoreboardSize } from '../../../src/ml/index.js';
import { float64Cell } from '../../../src/state/index.js';

const hour = 3_600_000;
const open = (cell = float64Cell({ size: scoreboardSize(2) }).open()) => ({ cell, board: scoreboard(cell, 2, hour) });

it('scores each scorer over a window of event time, and begins anew', () => {
  const { board } = open();
  expect(board.turn(10 * hour + 5)).toBeUndefined();
  board.add([0.9, 0.5], true);
  board.add([0.2, 0.5], false);
  board.add([0.6, 0.5], false);
  expect(board.turn(11 * hour - 1)).toBeUndefined();
  const window = board.turn(11 * hour);
  expect(window).toMatchObject({ endMs: 11 * hour, labelled: 3, positives: 1 });
  expect(window?.scorers[0]?.logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.8) + Math.log(0.4)) / 3, 12);
  expect(window?.scorers[0]).toMatchObject({ rocAuc: 1, accuracy: 2 / 3 });
  expect(window?.scorers[1]).toMatchObject({ rocAuc: 0.5, accuracy: 2 / 3 });
  board.add([0.1, 0.1], true);
  expect(board.turn(15 * hour)).toMatchObject({ endMs: 12 * hour, labelled: 1, positives: 1 });
  expect(board.turn(16 * hour)).toBeUndefined();
});

it('goes on where a stored one stopped', () => {
  const { cell, board } = open();
  board.turn(hour);
  board.add([0.7, 0.3], true);
  const restored = open();
  for (const { bucket, bytes } of cell.takeChanges()) if (bytes) restored.cell.restore(bucket, bytes, 1);
  for (const each of [board, restored.board]) each.add([0.4, 0.6], false);
  expect(restored.board.turn(2 * hour)).toEqual(board.turn(2 * hour));
  expect(restored.cell.values).toEqual(cell.values);
});
