import { expect, it } from 'vitest';
import { TopologyTest } from '../../../src/testing.js';
import { check, describe } from '../../../src/topology/index.js';
import { tripWindows } from './trip-windows.js';

const minute = 60_000;
const trip = (station: string, rider: string, atMinute: number, minutes: number) => ({
  station,
  rider,
  endedAt: atMinute * minute,
  minutes,
});

it('the windows of the guide say what they promise', async () => {
  expect(check(tripWindows)).toEqual([]);
  const test = new TopologyTest(tripWindows);
  await test.pipe('trips', [
    trip('dock', 'ann', 5, 10),
    trip('dock', 'bob', 30, 20),
    trip('park', 'ann', 20, 6),
    trip('dock', 'ann', 64, 4), // the watermark is at 62 minutes
    trip('dock', 'cy', 58, 30), // late, but not by more than ten minutes
    trip('dock', 'bob', 90, 5),
  ]);
  await test.run();
  expect(test.output('hourly-out')).toEqual([
    { key: 'dock', startMs: 0, endMs: 60 * minute, trips: 3, minutes: 20, p95: expect.closeTo(20, 0) },
    { key: 'park', startMs: 0, endMs: 60 * minute, trips: 1, minutes: 6, p95: expect.closeTo(6, 0) },
  ]);
  await test.finish();
  // Somebody rode from the dock in the hour before each of 145 minutes, and one from the park in the hour before each of 60.
  expect(test.output('last-hour-out')).toHaveLength(145 + 60);
  expect((test.output('daily-out').at(-1) as { after: unknown }).after).toEqual({
    key: 'all',
    startMs: 0,
    endMs: 1_440 * minute,
    rides: 5,
    minutes: 75,
  });
  expect(test.deadLetters()).toEqual([]);
  await test.close();
  expect(describe(tripWindows)).toContain('window="tumbling 1h"');
});
