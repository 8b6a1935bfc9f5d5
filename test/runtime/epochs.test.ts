import { expect, it } from 'vitest';
import { millis, stateful } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';
import { EventClock } from '../server/event-clock.js';
import { GrowingProfile } from './growing-profile.js';

const copied = topology('copied', { deadLetters: memorySink() }, (t) => {
  t.source(
    'events',
    memorySource<{ timeMs: number }>('events', ({ timeMs }) => timeMs),
  ).to('out', memorySink());
});

it('commits what was read when an epoch is due, though no more comes', async () => {
  const clock = new EventClock();
  // Polls of a source wait for records longer than an epoch takes.
  const profile = new GrowingProfile(clock, 10_000);
  const running = await runTopology(copied, {
    ...{ profile: profile.profile, clock, inference: noInference, epochInterval: millis(100) },
  });
  const written = () => profile.memory.outputOf('out').length;
  await clock.until(50);
  profile.append('events', 0, [1, 2, 3]);
  // The polls that wait see them at their end.
  await clock.until(10_000 - 1);
  expect(written()).toBe(0);
  await clock.until(10_000 + 150);
  expect(written()).toBe(3);

  const stopped = running.stop();
  await clock.until(30_000);
  await stopped;
});

it('does not wait for records when it is stopped, and when state is asked for', async () => {
  const clock = new EventClock();
  const profile = new GrowingProfile(clock, 10_000);
  const asked = topology('asked', { deadLetters: memorySink() }, (t) => {
    t.source(
      'events',
      memorySource('events', () => 0),
    )
      .via(
        'clock',
        stateful({
          kind: 'clock',
          cells: {},
          open: () => ({
            onRecord: () => undefined,
            query: () => clock.now(),
          }),
        }),
      )
      .to('out', memorySink());
  });
  const options = { profile: profile.profile, clock, inference: noInference, epochInterval: millis(100) };
  const running = await runTopology(asked, options);
  await clock.until(1_500);
  const answer = running.query('clock', 'a', 0);
  await clock.until(1_650);
  expect(await answer).toMatchObject({ kind: 'answer', value: 1_500 });
  const stopped = running.stop();
  await clock.until(1_700);
  expect(running.snapshot().tasks.map(({ isAtRest }) => isAtRest)).toEqual([true, true]);
  await clock.until(30_000);
  await stopped;
});
