import { expect, it } from 'vitest';
import { EpochMeter } from '../../../src/runtime/measures/epoch-meter.js';

it('has the phases of the last epoch, and the sums of all', () => {
  let ms = 100;
  const told: unknown[] = [];
  const tracer = { phase: (name: string) => void told.push(name), committed: (epoch: number) => void told.push(epoch) };
  const meter = new EpochMeter(
    () => 5_000 + ms,
    () => ms,
    tracer,
  );
  expect(meter.times()).toMatchObject({ bytes: 0, last: undefined });
  const epoch = (number: number, [drain = 0, prepare = 0, store = 0, commit = 0]: number[], bytes: number) => {
    for (const [name, took] of Object.entries({ drain, prepare, store, commit })) {
      meter.phase(name as 'drain');
      ms += took;
    }
    meter.committed(number, bytes);
    ms += 1_000; // between two epochs
  };
  epoch(1, [40, 3, 20, 7], 900);
  epoch(2, [10, 1, 30, 2], 100);
  expect(meter.times()).toEqual({
    phaseMs: { drain: 50, prepare: 4, store: 50, commit: 9 },
    bytes: 1_000,
    last: { endedMs: 6_213, phaseMs: { drain: 10, prepare: 1, store: 30, commit: 2 }, bytes: 100 },
  });
  expect(told).toEqual(['drain', 'prepare', 'store', 'commit', 1, 'drain', 'prepare', 'store', 'commit', 2]);
});
