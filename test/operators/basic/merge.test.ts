import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { json, millis, topology } from '../../../src/index.js';
import { merge } from '../../../src/operators/basic/merge.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';
import { TopologyTest } from '../../../src/testing.js';
import { hasState, layoutOf } from '../../../src/topology/index.js';

interface Event {
  readonly at: number;
  readonly from: string;
}

const source = (topic: string) =>
  kafka.source<Event>({ topic, schema: json<Event>(), eventTime: ({ at }) => millis(at) });

/** Three topics as one stream, and how many of it each input gave. */
const merged = topology('merged', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const [b, c] = [t.source('b', source('b')), t.source('c', source('c'))];
  t.source('a', source('a'))
    .via('all', { b, c }, merge('b', 'c'))
    .to('out', kafka.sink({ topic: 'out', schema: json<Event>() }));
});

async function mergedOf(inputs: Readonly<Record<string, readonly Event[]>>): Promise<readonly unknown[]> {
  const test = new TopologyTest(merged);
  try {
    for (const [id, events] of Object.entries(inputs)) await test.pipe(id, events);
    await test.run();
    return test.output('out');
  } finally {
    await test.close();
  }
}

describe('merge', () => {
  const samples = [
    { value: { at: 1 }, eventTimeMs: 1 },
    { value: { at: 2 }, eventTimeMs: 2, input: 1 },
    { value: { at: 2 }, eventTimeMs: 2, input: 2 },
    { value: { at: 4 }, eventTimeMs: 4 },
  ];
  it('keeps the operator contract', () => checkOperator(merge('b', 'c'), samples));

  it('orders the values of all inputs by their event time, and equal ones by the place of their source', () => {
    const times = fc.array(fc.nat(20), { maxLength: 8 }).map((all) => all.sort((x, y) => x - y));
    const inputs = fc.record({ b: times, c: times, a: times }); // as they are declared;
    return fc.assert(
      fc.asyncProperty(inputs, async (timesOf) => {
        const events = Object.entries(timesOf).map(
          ([from, all]) => [from, all.map((at): Event => ({ at, from }))] as const,
        );
        const expected = events.flatMap(([, all]) => all).sort((x, y) => x.at - y.at); // stable
        expect(await mergedOf(Object.fromEntries(events))).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps no state: a run may get it or lose it without a word', () => {
    expect(layoutOf(merged)).toEqual(['source a', 'source b', 'source c']);
    expect(hasState(merged)).toBe(false);
  });

  it('refuses two inputs of one name', () => {
    expect(merge('b', 'b').problems).toEqual([{ message: "two inputs are named 'b'", hint: 'give each its own name' }]);
  });
});
