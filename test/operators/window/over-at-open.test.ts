import { describe, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { partitionOf } from '../../../src/core/partition.js';
import { json, minutes, topology, window } from '../../../src/index.js';
import { Counters } from '../../../src/runtime/task-state.js';
import { DrivenStep } from '../../../src/testing/drive-operator.js';
import { rescaleTasks } from '../../../src/topology/rescale.js';
import { count, onClose, onInterval, onUpdate, tumbling } from '../../../src/window.js';

interface Hit {
  readonly user: string;
}

const counted = { key: (hit: Hit) => hit.user, window: tumbling(minutes(1)), aggregate: { n: count() }, keysMax: 10 };
const once = window(counted);
const atOnce = window({ ...counted, emit: onUpdate() });

const MINUTE_MS = 60_000;
const hit = (user: string, minute: number) => ({ value: { user }, eventTimeMs: minute * MINUTE_MS });
const userOf = (task: number) =>
  [...'abcdefgh'].find((user) => partitionOf(new TextEncoder().encode(user), 2) === task) as string;
const [fast, slow] = [userOf(0), userOf(1)];

/** The step of `fast` in three tasks that were made of two: one had come to minute 100, the other to minute 50. */
function afterRescale(operator: typeof once | typeof atOnce): DrivenStep {
  const hits = topology('hits', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    t.source('hits', kafka.source({ topic: 'hits', schema: json<Hit>() }))
      .via('window', operator as typeof once)
      .to('out', kafka.sink({ topic: 'out', schema: json() }));
  });
  const steps = [new DrivenStep(operator), new DrivenStep(operator)] as const;
  for (const minute of [60, 61, 100]) steps[0].push(hit(fast, minute));
  for (const minute of [40, 50]) steps[1].push(hit(slow, minute));
  const stored = steps.map((step, partition) => ({
    partition,
    topics: {},
    state: step.takeChanges(),
    checkpoint: undefined,
  }));
  const made = rescaleTasks(hits, stored, { tasks: 3, counters: () => new Counters() });
  const { state } = made[partitionOf(new TextEncoder().encode(fast), 3)] as (typeof made)[number];
  return new DrivenStep(operator, 10, state, { disorderMs: 0, watermarkMs: 100 * MINUTE_MS });
}

describe('windows that were over when the step was opened', () => {
  it('are emitted once, where a slower task had not come to their end', () => {
    const step = afterRescale(once);
    step.push(hit(fast, 60.5));
    step.push(hit(fast, 101));
    expect(step.emitted.map(({ value }) => value)).toMatchObject([{ key: fast, startMs: 100 * MINUTE_MS, n: 1 }]);
    expect(step.deadLetters.map(({ reason }) => reason)).toEqual(['late']);
  });

  it('are not told of again, where a slower task had not come to their end', () => {
    const step = afterRescale(atOnce);
    step.push(hit(fast, 60.5));
    expect(step.emitted).toEqual([]);
    expect(step.deadLetters.map(({ reason }) => reason)).toEqual(['late']);
  });

  it.each([onClose(), onUpdate(), onInterval({ every: minutes(1) })])('take no late record in a new step', (emit) => {
    const step = new DrivenStep(window({ ...counted, emit, allowedLateness: minutes(2) }), 0, [], {
      disorderMs: 0,
      watermarkMs: 100 * MINUTE_MS,
    });
    for (const minute of [97.5, 98, 100]) step.push(hit('a', minute));
    expect(step.deadLetters.map(({ reason, origin }) => [reason, origin.eventTimeMs])).toEqual([
      ['late', 97.5 * MINUTE_MS],
    ]);
  });
});
