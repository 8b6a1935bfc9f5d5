import { describe, expect, it } from 'vitest';
import { days, type FeatureVector, hours, type StateChange } from '../../../src/core/index.js';
import { featureView, numeric, rolling } from '../../../src/ml/features/index.js';
import { featurize } from '../../../src/operators/ml/featurize.js';
import { type DrivenInput, DrivenStep, driveOperator } from '../../../src/testing/drive-operator.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';

interface Trip {
  readonly id: number;
  readonly from: string;
  readonly hour: number;
}
interface End {
  readonly id: number;
  readonly delay: number;
}

const columns = { from: (trip: Trip) => trip.from, hour: (trip: Trip) => trip.hour };
const plain = featureView({ name: 'plain', version: 1, columns, features: { hour: numeric('hour', { scale: 2 }) } });
const tracking = featureView({
  name: 'tracking',
  version: 1,
  columns,
  outcome: {
    key: (trip: Trip) => trip.id,
    outcomeKey: (end: End) => end.id,
    values: { delay: (end: End) => end.delay },
    wait: hours(4),
    pendingMax: 5,
  },
  features: {
    hour: numeric('hour'),
    here: rolling({ by: 'from', value: 'delay', halfLife: hours(1) }),
    everywhere: rolling({ value: 'delay', halfLife: hours(1) }),
  },
});

const at = (h: number) => days(400) + h * 3_600_000;
const trip = (id: number, h: number, from = 'A'): DrivenInput => ({
  input: 0,
  value: { id, from, hour: 7 },
  eventTimeMs: at(h),
});
const end = (id: number, h: number, delay: number): DrivenInput => ({
  input: 1,
  value: { id, delay },
  eventTimeMs: at(h),
});
const denseOf = (emitted: readonly { readonly value: unknown }[]) =>
  emitted.map(({ value }) => Array.from((value as { features: FeatureVector }).features.dense));

describe('featurize without outcomes', () => {
  it('is a stateless step that adds features and keeps every field', () => {
    const value = { id: 1, from: 'A', hour: 7, other: 'kept' };
    const { emitted } = driveOperator(featurize(plain), [{ value }]);
    expect(emitted[0]?.value).toEqual({ ...value, features: plain.open().vector(value) });
    checkOperator(featurize(plain), [{ value }, { value: { ...value, hour: 8 } }]);
    const { settings } = featurize(plain);
    expect(settings).toMatchObject({ view: 'plain', hash: plain.hash, denseSize: 1 });
  });
});

describe('featurize with outcomes', () => {
  it('goes on with its clock after a restore, so that an older record is of the same time', () => {
    const inputs = [trip(1, 0), end(1, 1, 40), trip(2, 3), trip(3, 2), end(3, 2.5, 8), trip(4, 2.5)];
    const whole = driveOperator(featurize(tracking), inputs);
    const state = new Map<string, StateChange>();
    const emitted = inputs.flatMap((input, offset) => {
      const step = new DrivenStep(featurize(tracking), offset, state.values());
      step.push(input);
      for (const change of step.takeChanges()) state.set(`${change.cell}/${change.bucket}`, change);
      return step.emitted;
    });
    expect(denseOf(emitted)).toEqual(denseOf(whole.emitted));
  });

  it('knows of earlier rows what had arrived, and no more', () => {
    const { emitted, counters } = driveOperator(featurize(tracking), [
      trip(1, 0),
      trip(2, 0, 'B'),
      end(1, 1, 30),
      trip(3, 1),
      end(2, 1, -10),
      trip(4, 1),
    ]);
    expect(denseOf(emitted)).toEqual([
      [7, 0, 0],
      [7, 0, 0],
      [7, 15, 15],
      [7, 15, Math.fround(20 / 3)],
    ]);
    expect(counters).toEqual({ outcomes: 2 });
  });

  it('counts what it could not use and what it gave up', () => {
    const { counters } = driveOperator(featurize(tracking), [
      ...[1, 2, 3, 4, 5, 6].map((id) => trip(id, 0)),
      end(1, 1, 5),
      end(2, 1, Number.NaN),
      end(2, 1, 5),
      end(2, 1, 5),
      trip(7, 12),
    ]);
    expect(counters).toEqual({
      outcomes: 1,
      outcomes_unmatched: 2,
      outcomes_rejected: 1,
      outcomes_expired: 4,
      pending_evicted: 1,
    });
  });

  it('keeps the contract of operators: deterministic, restored anywhere, inputs untouched', () => {
    const arrivals = Array.from({ length: 120 }, (_, i) =>
      i % 3 === 2 ? end((i * 5) % 60, i / 20, (i * 37) % 100) : trip(i % 60, i / 20, 'ABC'[i % 3]),
    );
    expect(driveOperator(featurize(tracking), arrivals).counters.outcomes).toBeGreaterThan(5);
    checkOperator(featurize(tracking), arrivals, { stateBytesMax: 4_000 });
  });

  it('is not carried away by one absurd time', () => {
    const absurd = { ...end(1, 1, 30), eventTimeMs: Date.UTC(2190, 0) };
    const { emitted, counters } = driveOperator(featurize(tracking), [
      trip(1, 0),
      trip(2, 0),
      absurd,
      trip(3, 0.5),
      end(2, 1, 30),
      trip(4, 1),
    ]);
    expect(counters).toEqual({ outcomes: 2 });
    expect(denseOf(emitted).at(-1)?.[1]).toBeGreaterThan(15);
  });
});
