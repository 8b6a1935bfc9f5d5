import { describe, expect, it } from 'vitest';
import { ADWIN_SIZE, Adwin, adwin } from '../../../src/ml/drift/adwin.js';
import { float64Cell } from '../../../src/state/index.js';
import { uniform } from '../tree-rows.js';
import { falseAlarms, holdsToRiver, keepsAllInItsState, places, stream } from './support.js';

const windows = (delta: number, count = 1) => new Adwin(float64Cell({ size: count * ADWIN_SIZE }).open(), delta);

/** Where changes are found in a stream, each of which starts a new window, and the mean of the last one. */
function changesIn(stream: readonly number[], delta: number): readonly [changes: number[], mean: string] {
  const adwin = windows(delta);
  const changes: number[] = [];
  stream.forEach((x, i) => {
    if (changes.at(-1) === i - 1) adwin.clear(0);
    if (adwin.add(0, x)) changes.push(i);
  });
  return [changes, adwin.mean(0).toFixed(12)];
}

describe('Adwin', () => {
  it('finds the changes that River finds, and keeps the same windows', () => {
    const next = uniform(5);
    const errors = Array.from({ length: 9_000 }, (_, i) =>
      next() < (i < 3_000 ? 0.1 : i < 6_000 ? 0.25 : 0.18) ? 1 : 0,
    );
    expect(changesIn(errors, 0.002)).toEqual([[3135, 6495], '0.159345047923']);
    expect(changesIn(errors, 0.01)).toEqual([[3103, 6399], '0.158846153846']);
    expect(changesIn(errors, 0.3)).toEqual([[3039, 6111], '0.159626038781']);
    const jumps = [next, next].flatMap(() => [
      ...Array.from({ length: 1_000 }, () => Math.floor(next() * 2)),
      ...Array.from({ length: 1_000 }, () => 4 + Math.floor(next() * 4)),
    ]);
    expect(changesIn(jumps, 0.002)).toEqual([[1023, 2015, 3007], '5.476814516129']);
  });

  it('drops the oldest numbers where it can hold no more of them', () => {
    const cell = float64Cell({ size: ADWIN_SIZE }).open();
    const rows = 24;
    // As if zeros had been added until every row is full: width, rows in use, buckets of each row.
    cell.values[0] = 5 * (2 ** rows - 1);
    cell.values[4] = rows;
    for (let row = 0; row < rows; row++) cell.values[5 + 13 * row] = 5;
    new Adwin(cell, 0.002).add(0, 0);
    expect(cell.values[0]).toBe(5 * (2 ** rows - 1) + 1 - 2 ** (rows - 1));
    expect(Array.from({ length: rows }, (_, row) => cell.values[5 + 13 * row])).toEqual([
      ...Array(rows - 1).fill(4),
      5,
    ]);
  });

  it('keeps windows in one cell apart', () => {
    const adwin = windows(0.01, 2);
    for (let i = 0; i < 500; i++) {
      expect(adwin.add(0, i % 2)).toBe(false);
      adwin.add(ADWIN_SIZE, 7);
    }
    expect([adwin.mean(0), adwin.mean(ADWIN_SIZE)]).toEqual([0.5, 7]);
    adwin.clear(0);
    expect([adwin.mean(0), adwin.mean(ADWIN_SIZE)]).toEqual([0, 7]);
  });
});

describe('adwin', () => {
  it('finds drifts where River finds them', () => {
    holdsToRiver('adwin');
    expect(places(adwin(), stream('jump')).found).toEqual([1023]); // as documented
    expect(places(adwin(), stream('jumps')).found).toEqual([1023, 2015, 3007]);
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(adwin(), stream('levels').slice(0, 1_200));
  });

  it('finds a drift where there is none below its bound', () => {
    // A test at every 32nd number.
    expect(32 * falseAlarms(adwin())).toBeLessThan(0.002);
    expect(32 * falseAlarms(adwin({ delta: 0.5 }))).toBeLessThan(0.5);
  });

  it('shows the means before and after', () => {
    const [seen] = places(adwin(), stream('jump')).evidence;
    expect(seen?.before).toBeLessThan(1);
    expect(seen?.after).toBeGreaterThan(seen?.before ?? 9);
    expect(seen?.statistic).toBeCloseTo((seen?.after ?? 0) - (seen?.before ?? 0), 12);
    expect(adwin({ delta: 1 }).problems.map(({ message }) => message)).toEqual(['delta is 1']);
  });
});
