import { flatMap } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { atLeast, counters, deadLetters, type Expected, exactly, exactlyInTable, newestByKey } from './compare.js';

interface Event {
  readonly id: number;
  readonly key: string;
  readonly timeMs: number;
  readonly copies: number;
}

const garbage = new TextEncoder().encode('{"id":');
const keyOf = (value: { readonly key: string }) => value.key;

/** Everything as it comes, and 0 to 3 copies of each, into a sink of every kind. No dedupe that would hide a replay. */
export const copies: Scenario = {
  name: 'copies',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => events(random, Math.floor(records / partitions)));
    const log = { events: inputs.map((values) => logOf(values, random)) };
    return {
      log,
      follows: { topic: 'events', sink: 'all' },
      topology: () =>
        topology('copies', { deadLetters: simSink('transactional') }, (t) => {
          const source = t.source(
            'events',
            simSource<Event>('events', ({ timeMs }) => timeMs),
          );
          source.to('all', simSink('append'));
          const copied = source.via(
            'copied',
            flatMap((event) => Array.from({ length: event.copies }, (_, n) => ({ id: event.id, key: event.key, n }))),
          );
          copied.to('exact', simSink('transactional'));
          copied.to('rows', simSink('table'));
          copied.to('later', simSink('deferred'));
          copied.to('newest', simSink('hash', { key: keyOf }));
        }),
      check: (task, outcome) => check(inputs[task] ?? [], log.events[task] ?? [], outcome),
    };
  },
};

function events(
  random: Random,
  count: number,
): { readonly value: Event | Uint8Array | undefined; readonly timestampMs: number }[] {
  let timeMs = 1_000_000;
  return Array.from({ length: count }, (_, id) => {
    timeMs += random.int(50);
    if (random.chance(0.01)) return { value: garbage, timestampMs: timeMs };
    if (random.chance(0.01)) return { value: undefined, timestampMs: timeMs };
    return { value: { id, key: `k${random.int(30)}`, timeMs, copies: random.int(4) }, timestampMs: timeMs };
  });
}

function check(input: ReturnType<typeof events>, log: readonly { readonly offset: number }[], outcome: Outcome): void {
  const all: Expected[] = [];
  const copied: Expected[] = [];
  const dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  let tombstones = 0;
  input.forEach(({ value }, i) => {
    const { offset } = log[i] as { readonly offset: number };
    if (value === undefined) tombstones += 1;
    else if (value instanceof Uint8Array) dead.push({ step: 'events', reason: 'not-json', topic: 'events', offset });
    else {
      all.push({ value, topic: 'events', offset });
      for (let n = 0; n < value.copies; n++)
        copied.push({ value: { id: value.id, key: value.key, n }, topic: 'events', offset });
    }
  });
  atLeast('all', outcome.output('all').rows, all);
  exactly('exact', outcome.output('exact').rows, copied);
  exactlyInTable('rows', outcome.output('rows'), copied);
  exactlyInTable('later', outcome.output('later'), copied);
  newestByKey('newest', outcome.output('newest'), copied, keyOf);
  deadLetters(outcome.output('$dead-letters').rows, dead);
  counters(outcome, {
    'events/read': input.length,
    'events/tombstones': tombstones,
    'events/dead:not-json': dead.length,
    'copied/in': all.length,
    'copied/out': copied.length,
    'all/written': all.length,
    'exact/written': copied.length,
    'rows/written': copied.length,
    'later/written': copied.length,
    'newest/written': copied.length,
  });
}
