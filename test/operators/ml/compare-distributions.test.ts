import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours } from '../../../src/core/index.js';
import { distancesOf } from '../../../src/ml/distributions/distances.js';
import { addRow, type Distribution, emptyDistribution } from '../../../src/ml/distributions/distribution.js';
import { distributionsOf } from '../../../src/ml/distributions/index.js';
import { nullThreshold } from '../../../src/ml/distributions/null-threshold.js';
import {
  type CompareDistributionsOptions,
  compareDistributions,
  type DistributionRow,
  distributionColumns,
} from '../../../src/operators/ml/compare-distributions.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { generator } from '../../random.js';

interface Row {
  readonly size: number | null;
  readonly place: string;
}

const hour = 3_600_000;
const features = {
  size: { number: (row: Row) => row.size, importance: 3 },
  place: { category: (row: Row) => row.place },
} as const;
const base = { features, every: hours(1), rowsMin: 5 } as const;
const slices = { place: (row: Row) => row.place };

type Reference = CompareDistributionsOptions<Row>['reference'];
const operatorOf = (reference: Reference, more: Partial<CompareDistributionsOptions<Row>> = {}) =>
  compareDistributions<Row>({ ...base, reference, ...more });

/** Rows of some hours; those from an hour on are larger and elsewhere. */
function rowsOf(count: number, hoursLong: number, changeAt = Number.POSITIVE_INFINITY, seed = 1): DrivenInput[] {
  const next = generator(seed);
  return Array.from({ length: count }, (_, i) => {
    const eventTimeMs = Math.floor((i / count) * hoursLong * hour);
    const isChanged = eventTimeMs >= changeAt * hour;
    const size = next() < 0.1 ? null : Math.floor((isChanged ? 30 : 10) * next()) + (isChanged ? 4 : 0);
    return { value: { size, place: 'abcde'[Math.floor((isChanged ? 5 : 3) * next())] as string }, eventTimeMs };
  });
}

const told = (operator: Parameters<typeof driveOperator>[0], inputs: readonly DrivenInput[]) => {
  const { emitted, failure, ...rest } = driveOperator(operator, inputs, { final: true });
  expect(failure).toBeUndefined();
  return { ...rest, rows: emitted.map(({ value }) => value as DistributionRow), emitted };
};

/** What should come of the windows, each a list of rows, with the rows of its reference. */
function naive(
  inputs: readonly DrivenInput[],
  referenceOf: (startMs: number) => readonly Row[] | undefined,
  slicesMax: number,
): object[] {
  const startOf = ({ eventTimeMs = 0 }: DrivenInput) => Math.floor(eventTimeMs / hour) * hour;
  const of = (rows: readonly Row[], name: 'size' | 'place'): Distribution => {
    const distribution = emptyDistribution(features[name] as never);
    for (const row of rows) addRow(distribution, features[name] as never, row);
    return distribution;
  };
  const starts = [...new Set(inputs.map(startOf))];
  return starts.flatMap((startMs) => {
    const before = referenceOf(startMs);
    if (before === undefined) return [];
    const now = inputs.filter((input) => startOf(input) === startMs).map(({ value }) => value as Row);
    const values = [...new Set(now.map(({ place }) => place))].slice(0, slicesMax);
    const groups = slicesMax === 0 ? [] : values;
    const inGroup = (group: string | undefined) => (row: Row) => group === undefined || row.place === group;
    return [undefined, ...groups].flatMap((group) => {
      const [a, b] = [before.filter(inGroup(group)), now.filter(inGroup(group))];
      const slice = group === undefined ? { slice: 'all', value: '' } : { slice: 'place', value: group };
      let exceeded = 0;
      let importances = 0;
      const rows = (['size', 'place'] as const).map((feature) => {
        const [from, to] = [of(a, feature), of(b, feature)];
        const by = feature === 'size' ? 'kolmogorovSmirnov' : 'jensenShannon';
        const distances = distancesOf(from, to);
        const distance = distances[by];
        const threshold = a.length >= 5 && b.length >= 5 && distance !== null ? nullThreshold(by, from, to) : null;
        const importance = feature === 'size' ? 3 : 1;
        if (threshold !== null) {
          importances += importance;
          exceeded +=
            importance * (threshold > 0 ? (distance as number) / threshold : (distance as number) > 0 ? 10 : 0);
        }
        return {
          feature,
          ...slice,
          rows: b.length,
          referenceRows: a.length,
          by,
          distance,
          threshold,
          drifted: threshold !== null && (distance as number) > threshold,
          psi: distances.psi,
        };
      });
      const all = importances > 0 ? exceeded / importances : null;
      const threshold = all === null ? null : 1;
      return [...rows, { feature: 'all', ...slice, distance: all, threshold, drifted: all !== null && all > 1 }];
    });
  });
}

describe('compareDistributions', () => {
  const inputs = rowsOf(600, 6, 4);
  const valuesIn = (from: number, to: number): Row[] =>
    inputs.filter(({ eventTimeMs = 0 }) => eventTimeMs >= from && eventTimeMs < to).map(({ value }) => value as Row);

  it('compares each window with the beginning of the stream', () => {
    const { rows, counters } = told(operatorOf({ first: hours(2) }), inputs);
    const expected = naive(inputs, (at) => (at < 2 * hour ? undefined : valuesIn(0, 2 * hour)), 0);
    expect(rows).toHaveLength(12);
    expect(rows).toMatchObject(expected);
    const drifted = rows.filter((row) => row.drifted).map(({ feature, startMs }) => [feature, startMs / hour]);
    expect(drifted).toEqual(
      [4, 5].flatMap((at) => [
        ['size', at],
        ['place', at],
        ['all', at],
      ]),
    );
    expect(counters).toEqual({ compared: 8, drifted: 4 });
    expect(Object.keys(rows[0] as object).sort()).toEqual(Object.keys(distributionColumns).sort());
  });

  it('compares with the time just before, where a change passes', () => {
    const { rows } = told(operatorOf({ last: hours(2) }), inputs);
    expect(rows).toMatchObject(naive(inputs, (at) => valuesIn(at - 2 * hour, at), 0));
    expect(rows.filter(({ feature, drifted }) => feature === 'all' && drifted).map(({ startMs }) => startMs)).toEqual([
      4 * hour,
      5 * hour, // half of its reference is of before
    ]);
  });

  it('finds no drift where a distance equals its threshold', () => {
    const shifted = [0, 1, 2, 3, 4, 5].flatMap((shift) =>
      Array.from({ length: 5 }, (_, i): DrivenInput => {
        return { value: { size: i + shift, place: 'a' }, eventTimeMs: shift * hour + i };
      }),
    );
    const { rows } = told(operatorOf({ first: hours(1) }, { features: { size: features.size } }), shifted);
    const equal = rows.filter(({ distance, threshold }) => distance !== null && distance === threshold);
    expect(equal.map(({ feature, drifted }) => [feature, drifted])).toEqual([
      ['size', false],
      ['all', false],
    ]);
  });

  it('compares with other rows, by slice', () => {
    const other = valuesIn(0, 3 * hour);
    const reference = { rows: distributionsOf(other, { features, slices }) };
    const { rows, counters } = told(operatorOf(reference, { slices }), inputs);
    expect(rows).toMatchObject(naive(inputs, () => other, 20));
    expect(
      rows
        .filter(({ value }) => value === 'e')
        .every(({ threshold, feature }) => feature === 'all' || threshold === null),
    ).toBe(true);
    expect(counters.few).toBeGreaterThan(0);
  });

  it('measures the distances that decide, and none of few rows', () => {
    const { rows, measures } = told(operatorOf({ first: hours(2) }, { slices }), inputs);
    expect(measures).toEqual(
      rows
        .filter(({ threshold }) => threshold !== null)
        .map(({ feature, distance, endMs, slice, value, rows: weight }) => ({
          name: `distance:${feature}`,
          value: distance,
          eventTimeMs: endMs,
          slice: slice === 'all' ? '' : `place=${value}`,
          weight,
        })),
    );
    expect(measures.length).toBeLessThan(rows.length);
    expect(measures.filter(({ name, slice }) => name === 'distance:all' && slice === '')).toHaveLength(4);
  });

  it('keeps no more values of a slice than it was told', () => {
    const { rows } = told(operatorOf({ first: hours(2) }, { slices, slicesMax: 2 }), inputs);
    const values = new Set(rows.filter(({ slice }) => slice === 'place').map(({ value }) => value));
    expect(values.has('other')).toBe(true);
    for (const startMs of new Set(rows.map((row) => row.startMs)))
      expect(
        new Set(rows.filter((row) => row.startMs === startMs && row.slice === 'place').map(({ value }) => value)).size,
      ).toBeLessThanOrEqual(3);
  });

  it('lets a feature that is not used change', () => {
    const unused = { ...features, size: { ...features.size, importance: 0 } };
    const grown = inputs.map((input) => ({ ...input, value: { ...(input.value as Row), place: 'a' } }));
    const { rows } = told(
      compareDistributions<Row>({ ...base, features: unused, reference: { first: hours(2) } }),
      grown,
    );
    const last = rows.slice(-3);
    expect(last.map(({ feature, drifted }) => [feature, drifted])).toEqual([
      ['size', true],
      ['place', false],
      ['all', false],
    ]);
  });

  it('sends what is late or far ahead to the dead letters', () => {
    const row: Row = { size: 1, place: 'a' };
    const { deadLetters } = told(operatorOf({ first: hours(1) }), [
      { value: row, eventTimeMs: 0 },
      { value: row, eventTimeMs: 2 * hour },
      { value: row, eventTimeMs: hour / 2 },
    ]);
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['late']);
    const far = Array.from({ length: 120 }, (_, i) => ({ value: row, eventTimeMs: (130 - i) * hour }));
    const ahead = driveOperator(operatorOf({ first: hours(1) }), far, { disorderMs: 1_000 * hour });
    expect(ahead.deadLetters.map(({ reason }) => reason)).toEqual(Array(20).fill('too-many-windows'));
  });

  it('keeps the contract of operators', () => {
    const rows = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(rows, ({ seed, count }) => {
        const samples = rowsOf(count, 5, 3, seed);
        checkOperator(operatorOf({ first: hours(2) }, { slices, slicesMax: 2, rowsMin: 8 }), samples);
        checkOperator(operatorOf({ last: hours(2) }, { rowsMin: 8 }), samples, { disorderMs: hour });
      }),
      { numRuns: 4 },
    );
  });

  it('says what it cannot do', () => {
    const problems = compareDistributions<Row>({
      features: { all: { number: () => 1, importance: -1 } },
      every: hours(2),
      reference: { last: hours(3) },
      by: { categories: 'wasserstein' },
      slicesMax: 0,
    }).problems?.map(({ message }) => message);
    expect(problems).toEqual([
      'reference.last is no multiple of every',
      'slicesMax is 0',
      "a feature 'all'",
      'the importance of all is -1',
      'by.categories is wasserstein',
    ]);
    expect(operatorOf({ first: hours(1) }).problems).toEqual([]);
  });
});
