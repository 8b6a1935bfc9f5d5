import { describe, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { minutes } from '../../../src/core/index.js';
import { quarantine } from '../../../src/operators/quality/quarantine.js';
import { validateWindows, type WindowVerdict } from '../../../src/operators/quality/validate-windows.js';
import { windowExpectations } from '../../../src/operators/quality/window-expectations.js';
import { tumbling } from '../../../src/operators/window/spec.js';
import { json } from '../../../src/schema/index.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { TopologyTest } from '../../../src/testing.js';
import { topology } from '../../../src/topology/index.js';

const verdict = (expectation: string, success: boolean, key = '', severity: WindowVerdict['severity'] = 'divert') => ({
  input: 1,
  value: { key, startMs: 0, endMs: 10, expectation, severity, success, observed: 1, min: 2, max: 3, records: 1 },
});
const record = (id: number, key = 'a') => ({ value: { id, key } });
const passed = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ value }) => (value as { id: number }).id);

describe('quarantine', () => {
  const samples = [
    record(1),
    verdict('volume', true),
    record(2),
    verdict('volume', false),
    verdict('mean:x', false),
    record(3),
    verdict('volume', true),
    record(4),
    verdict('mean:x', true),
    record(5),
    verdict('uniqueness:id', false, '', 'warn'),
    record(6),
  ];

  it('holds records back from the first broken expectation to the last that holds again', () => {
    const run = driveOperator(quarantine(), samples);
    expect(passed(run)).toEqual([1, 2, 5, 6]);
    expect(run.deadLetters.map(({ reason, detail }) => [reason, detail])).toEqual([
      ['quarantined', 'volume since 0, mean:x since 0'],
      ['quarantined', 'mean:x since 0'],
    ]);
    expect(run.counters.quarantined).toBe(2);
  });

  it('holds back the keys whose windows were not as expected, up to its bound', () => {
    const byKey = quarantine({ key: (value: { key: string }) => value.key, keysMax: 1 });
    const run = driveOperator(byKey, [
      verdict('volume', false, 'a'),
      verdict('volume', false, 'b'),
      record(1, 'a'),
      record(2, 'b'),
      record(3, 'c'),
    ]);
    expect(passed(run)).toEqual([2, 3]);
    expect(run.deadLetters.map(({ reason }) => reason)).toEqual(['too-many-keys', 'quarantined']);
    expect(quarantine({ key: () => 'a' }).problems).toHaveLength(1);
  });

  it('keeps the operator contract', () => {
    checkOperator(quarantine(), samples, { stateBytesMax: 500 });
  });

  it('keeps what follows a bad window from what comes after it', async () => {
    const bad = topology('bad-windows', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      const trips = t.source(
        'trips',
        kafka.source({
          topic: 'trips',
          schema: json<{ id: number; at: number }>(),
          eventTime: ({ at }) => at * 60_000,
        }),
      );
      const expected = windowExpectations<{ id: number; at: number }>().uniqueness('id', 1, 'divert');
      const verdicts = trips.via('quality', validateWindows({ window: tumbling(minutes(5)), expect: expected }));
      verdicts.to('verdicts', kafka.sink({ topic: 'verdicts', schema: json() }));
      trips.via('gate', { verdicts }, quarantine()).to('good', kafka.sink({ topic: 'good', schema: json() }));
    });
    const test = new TopologyTest(bad);
    const ids = [
      [1, 0],
      [1, 1],
      [2, 5],
      [3, 6],
      [4, 12],
      [5, 17],
    ];
    await test.pipe(
      'trips',
      ids.map(([id, at]) => ({ id, at })),
    );
    await test.finish();
    // The record that moves time beyond a window has passed before the window is judged.
    expect(test.output('good').map((value) => (value as { at: number }).at)).toEqual([0, 1, 5, 17]);
    expect(test.deadLetters().map(({ reason, offset }) => [reason, offset])).toEqual([
      ['quarantined', 3],
      ['quarantined', 4],
    ]);
    await test.close();
  });
});
