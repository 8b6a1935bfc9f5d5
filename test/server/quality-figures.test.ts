import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import {
  expectations,
  json,
  minutes,
  quarantine,
  topology,
  validate,
  validateWindows,
  windowExpectations,
} from '../../src/index.js';
import { tumbling } from '../../src/operators/window/spec.js';
import type { Measurement } from '../../src/runtime/index.js';
import { metricsOf } from '../../src/server/metric-figures.js';
import { mergedQuality, qualityOf } from '../../src/server/quality-figures.js';

interface Trip {
  readonly station: string | null;
  readonly minutes: number;
}
const trips = topology('trips', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const valid = t
    .source('trips', kafka.source<Trip>({ topic: 'trips', schema: json<Trip>() }))
    .via('check', validate(expectations<Trip>().range('minutes', 0, 90).range('minutes', 1, 60, 'warn')));
  const verdicts = valid.via(
    'windows',
    validateWindows({
      window: tumbling(minutes(5)),
      expect: windowExpectations<Trip>().volume(1, 100, 'divert').completeness('station', 0.9),
    }),
  );
  valid.via('gate', { verdicts }, quarantine()).to('out', kafka.sink({ topic: 'out', schema: json() }));
});

const counters = (byStep: Readonly<Record<string, Readonly<Record<string, number>>>>) =>
  new Map(Object.entries(byStep).map(([step, names]) => [step, new Map(Object.entries(names))]));
const measured = (name: string, value: number, eventTimeMs: number, slice = '', task = 0): Measurement => ({
  row: { topology: 'trips', step: 'windows', task, name, slice, version: '', eventTimeMs, value },
  interval: undefined,
});

describe('the rules of a run', () => {
  it('stand in the order of the topology, with what was checked and what failed', () => {
    const figures = qualityOf(trips)(
      counters({
        check: { in: 50, 'dead:range:minutes': 4, 'warned:range:minutes': 3, invalid: 4 },
        windows: { in: 46, judged: 9, 'broken:volume': 2 },
        gate: { in: 46, 'dead:quarantined': 20 },
      }),
      [],
    );
    expect(
      figures.map(({ step, text, severity, checked, failed, deadLetters }) =>
        [step, text, severity, checked, failed, deadLetters].join(' | '),
      ),
    ).toEqual([
      'check | range:minutes[0, 90] | dead-letter | 50 | 4 | 4',
      'check | range:minutes[1, 60] (warn) | warn | 50 | 3 | 0',
      'windows | volume [1, 100] or divert | divert | 9 | 2 | 0',
      'windows | completeness:station [0.9, ] | warn | 9 | 0 | 0',
      'gate | no window failed | dead-letter | 46 | 20 | 20',
    ]);
    expect(qualityOf(trips)(counters({}), []).map(({ checked, verdict }) => [checked, verdict])).toEqual(
      new Array(5).fill([0, null]),
    );
  });

  it('have the newest verdict over all keys and tasks, of the same window the one that failed', () => {
    const verdictOf = (rule: string, rows: readonly Measurement[]) =>
      qualityOf(trips)(counters({}), rows).find((each) => each.rule === rule)?.verdict;
    const rows = [
      measured('verdict:volume', 0, 5, 'early'),
      measured('observed:volume', 900, 5, 'early'),
      measured('verdict:volume', 0, 10, 'a'),
      measured('observed:volume', 0, 10, 'a'),
      measured('verdict:volume', 1, 10, 'b', 1),
      measured('observed:volume', 7, 10, 'b', 1),
    ];
    expect(verdictOf('volume', rows)).toEqual({ held: false, observed: 0, endMs: 10 });
    expect(verdictOf('volume', rows.toReversed())).toEqual({ held: false, observed: 0, endMs: 10 });
    expect(verdictOf('completeness:station', [measured('verdict:completeness:station', 1, 10)])).toEqual({
      ...{ held: true, observed: null, endMs: 10 },
    });
    expect(metricsOf(trips)(rows)).toEqual([]); // they stand with their rules
  });

  it('of two processes add up', () => {
    const of = (failed: number, endMs: number) =>
      qualityOf(trips)(counters({ windows: { judged: 10, 'broken:volume': failed } }), [
        measured('verdict:volume', failed === 0 ? 1 : 0, endMs),
      ])[2];
    const [a, b] = [of(3, 10), of(0, 20)];
    if (!a || !b) throw new Error('there are rules');
    expect(mergedQuality(a, b)).toMatchObject({ checked: 20, failed: 3, verdict: { held: true, endMs: 20 } });
    expect(mergedQuality(b, { ...a, verdict: null })).toMatchObject({ verdict: { held: true } });
  });
});
