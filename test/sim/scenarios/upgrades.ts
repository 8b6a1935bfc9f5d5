import {
  type MultiInputOperator,
  millis,
  type Operator,
  type StatefulDefinition,
  stateful,
} from '../../../src/core/index.js';
import { map } from '../../../src/operators/index.js';
import { valueCell } from '../../../src/state/index.js';
import {
  logOf,
  type Outcome,
  type Random,
  type Scenario,
  type SimRow,
  type StoredVersion,
  simSink,
  simSource,
} from '../../../src/testing/sim/index.js';
import { type Topology, topology } from '../../../src/topology/index.js';
import { counters, exactly, exactlyInTable, newestByKey } from './compare.js';
import { entriesOf } from './merge.js';

type SourceId = 'a' | 'b';

interface Event {
  readonly source: SourceId;
  readonly id: number;
  readonly timeMs: number;
}
interface Counted {
  readonly step: string;
  readonly source: SourceId;
  readonly id: number;
  /** How many records of its source the step has counted, in all versions that had it. */
  readonly n: number;
}

/** A version of the topology. */
interface Shape {
  readonly sources: readonly SourceId[];
  /** The name of the step that counts. */
  readonly step: 'count' | 'tally';
  /** The version of its state: the second one can read what the first has stored. */
  readonly seen: 1 | 2;
  /** A setting on which the layout of its state depends, so that state of another one cannot be read. */
  readonly size: number;
  /** Whether there is a stateless step, with a sink, more. */
  readonly isMapped: boolean;
  /** Whether it does not wait for quiet inputs: all its sinks outside the transaction are deferred. */
  readonly idles: boolean;
}

const last: Shape = { sources: ['a', 'b'], step: 'count', seen: 2, size: 7, isMapped: false, idles: false };
const shapes: readonly Shape[] = [
  last,
  { ...last, sources: ['a'] },
  { ...last, sources: ['b'] },
  { ...last, seen: 1 },
  { ...last, sources: ['a'], seen: 1 },
  { ...last, step: 'tally' },
  { ...last, isMapped: true },
  { ...last, idles: true },
  { ...last, size: 8 },
];

/** Version 1 of the state was an object, version 2 is an array. */
type Seen = readonly [a: number, b: number];
interface SeenBefore {
  readonly a: number;
  readonly b: number;
}

const cellsOf = ({ seen, size }: Shape) => ({
  seen:
    seen === 1
      ? valueCell<Seen | SeenBefore>({ initial: { a: 0, b: 0 } })
      : valueCell<Seen | SeenBefore>({
          version: 2,
          initial: [0, 0],
          migrate: (old) => [(old as SeenBefore).a, (old as SeenBefore).b],
        }),
  sized: valueCell({ version: size, initial: 0 }),
  watermarkMs: valueCell({ initial: 0 }),
});

const counting = (shape: Shape): StatefulDefinition<Event, Counted, ReturnType<typeof cellsOf>> => ({
  kind: 'counting',
  cells: cellsOf(shape),
  open: ({ seen, sized, watermarkMs }, context) => ({
    onRecord(_input, value, emit) {
      const { source, id } = value as Event;
      const before = seen.get();
      const [a, b] = 'a' in before ? [before.a, before.b] : before;
      const now: SeenBefore = source === 'a' ? { a: a + 1, b } : { a, b: b + 1 };
      seen.set(shape.seen === 1 ? now : [now.a, now.b]);
      sized.set(sized.get() + 1);
      emit({ step: shape.step, source, id, n: now[source] });
    },
    onWatermark(nowMs) {
      if (nowMs < watermarkMs.get()) context.fail(`the watermark falls from ${watermarkMs.get()} to ${nowMs}`);
      watermarkMs.set(nowMs);
    },
  }),
});
const countOne = (shape: Shape): Operator<Event, Counted> => stateful(counting(shape));
const countTwo = (shape: Shape): MultiInputOperator<Event, { b: Event }, Counted> =>
  stateful({ ...counting(shape), inputs: ['b'] });

const nameOf = ({ source, id }: Event) => `${source}${id % 11}`;

function versionOf(shape: Shape): Topology {
  return topology('upgrades', { deadLetters: simSink('transactional') }, (t) => {
    const streams = shape.sources.map((id) => {
      const stream = t.source(id, {
        ...simSource<Event>(id, ({ timeMs }) => timeMs),
        ...(shape.idles && { idleTimeout: millis(20) }),
      });
      // What does not depend on the version: sinks may get it again from the next one.
      stream.to(`table-${id}`, simSink('table'));
      stream.to(`newest-${id}`, simSink('hash', { key: nameOf }));
      stream.to(`files-${id}`, simSink('prepared'));
      stream.to(`later-${id}`, simSink('deferred'));
      return stream;
    });
    const [one, two] = streams;
    if (one === undefined) throw new Error('a version needs a source');
    const counted =
      two === undefined ? one.via(shape.step, countOne(shape)) : one.via(shape.step, { b: two }, countTwo(shape));
    counted.to('out', simSink('transactional'));
    counted.to('files', simSink('prepared'));
    counted.to('later', simSink('deferred'));
    if (!shape.isMapped) return;
    const mapped = counted.via(
      'mapped',
      map(({ source, id }) => ({ source, id })),
    );
    mapped.to('more', simSink('transactional'));
  });
}

/** What the guide promises: other sources, stateful steps and versions of state need acceptance; some state has no way back. */
function refusal({ version, cells }: StoredVersion, own: number, isAccepted: boolean): readonly string[] {
  const [stored, now] = [shapes[version] as Shape, shapes[own] as Shape];
  const linesOf = ({ sources, step, seen, size }: Shape) => [
    ...sources.map((id) => `source ${id}`),
    `step ${step} (counting): seen ${seen}, sized ${size}, watermarkMs 1`,
  ];
  const [before, after] = [linesOf(stored), linesOf(now)];
  const changes = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  if (!isAccepted && changes.length > 0) return changes;
  const { seen = now.seen, sized = now.size } = Object.fromEntries(
    ['seen', 'sized'].map((cell) => [cell, cells.get(`${now.step}/${cell}`)]),
  );
  if (seen > now.seen) return [`${now.step}/seen`];
  return sized === now.size ? [] : [`${now.step}/sized`];
}

/**
 * Versions of a topology take over from each other, with and without acceptance: sources leave and come back, steps change their
 * names and the versions of their state. What was stored stays, for the sources of all versions, or a run is refused and says why.
 */
export const upgrades: Scenario = {
  name: 'upgrades',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const logs = (source: SourceId) => inputs.map((events) => logOf(events[source].map(withTime), random));
    const log = { a: logs('a'), b: logs('b') };
    return {
      log,
      grows: random.chance(0.8),
      topology: () => versionOf(last),
      versions: {
        // A version that stores state of another size leaves state that no other can read: it must find some.
        others: shapes.slice(1).map((shape) => ({
          topology: () => versionOf(shape),
          ...(shape.size === last.size ? {} : { after: 'count/sized' }),
        })),
        refusal,
      },
      check: (task, outcome) => {
        const events = inputs[task] ?? { a: [], b: [] };
        checkSource(entriesOf('a', events.a, log.a[task]), outcome);
        checkSource(entriesOf('b', events.b, log.b[task]), outcome);
        checkCounts(events, outcome);
      },
    };
  },
};

const withTime = (value: Event) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, count: number): Record<SourceId, Event[]> {
  const events: Record<SourceId, Event[]> = { a: [], b: [] };
  let timeMs = 1_000;
  for (let i = 0; i < count; i++) {
    timeMs += random.int(4);
    const source = random.pick(['a', 'b'] as const);
    events[source].push({ source, id: events[source].length, timeMs });
  }
  return events;
}

/** Each sink of a source has each of its records, whichever versions had the source. */
function checkSource(entries: ReturnType<typeof entriesOf<Event>>, outcome: Outcome): void {
  const source = entries[0]?.topic ?? 'a';
  exactly(`files-${source}`, outcome.output(`files-${source}`).rows, entries);
  exactlyInTable(`table-${source}`, outcome.output(`table-${source}`), entries);
  exactlyInTable(`later-${source}`, outcome.output(`later-${source}`), entries);
  newestByKey(`newest-${source}`, outcome.output(`newest-${source}`), entries, nameOf as (value: never) => string);
}

/** Records of a source come in order, and each step has gone on counting where it was. All sinks tell of the same. */
function checkCounts(events: Record<SourceId, readonly Event[]>, outcome: Outcome): void {
  const { rows } = outcome.output('out');
  const next = { a: 0, b: 0 };
  const counts = new Map<string, number>();
  for (const { value } of rows) {
    const { step, source, id, n } = value as Counted;
    const before = counts.get(`${step} ${source}`) ?? 0;
    if (id !== next[source] || n !== before + 1)
      throw new Error(`${JSON.stringify(value)} comes where ${source}${next[source]} is next, after ${before}`);
    next[source] += 1;
    counts.set(`${step} ${source}`, n);
  }
  const all = events.a.length + events.b.length;
  if (rows.length !== all) throw new Error(`${rows.length} of ${all} records came out`);
  exactly('files', outcome.output('files').rows, rows);
  exactlyInTable('later', outcome.output('later'), rows);
  const mapped = outcome.output('more').rows;
  inOrder(mapped, rows);
  const outOf = (step: string) => rows.filter(({ value }) => (value as Counted).step === step).length;
  // What comes in is counted at the first input only, which is another one in some versions.
  const told = new Map([...outcome.counters].filter(([name]) => !name.endsWith('/in')));
  counters(
    { ...outcome, counters: told },
    {
      ...Object.fromEntries(
        (['a', 'b'] as const).flatMap((id) => [
          [`${id}/read`, events[id].length],
          ...['table', 'newest', 'files', 'later'].map((sink) => [`${sink}-${id}/written`, events[id].length]),
        ]),
      ),
      'count/out': outOf('count'),
      'tally/out': outOf('tally'),
      'out/written': all,
      'files/written': all,
      'later/written': all,
      'mapped/out': mapped.length,
      'more/written': mapped.length,
    },
  );
}

/** Each value once, in the order of the others: a sink that only some versions have gets what those read. */
function inOrder(some: readonly SimRow[], all: readonly SimRow[]): void {
  let next = 0;
  for (const { topic, offset } of some) {
    while (next < all.length && !(all[next]?.topic === topic && all[next]?.offset === offset)) next += 1;
    if (next++ === all.length) throw new Error(`more: ${topic}@${offset} came twice, or out of order`);
  }
}
