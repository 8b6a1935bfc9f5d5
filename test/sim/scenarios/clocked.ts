import { millis, type Operator, stateful } from '../../../src/core/index.js';
import { valueCell } from '../../../src/state/index.js';
import { logOf, type Outcome, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { exactlyInTable } from './compare.js';

interface Event {
  readonly id: number;
  readonly timeMs: number;
}
/** A record, or a tick of the clock, and how many of each came before it. */
interface Seen {
  readonly what: number | 'tick';
  readonly clockMs: number;
  readonly records: number;
  readonly ticks: number;
}

const cells = { seen: valueCell({ initial: { records: 0, ticks: 0, clockMs: -1 } }) };

/** Tells of every record and every tick: any tick that is lost, doubled or told elsewhere gives other numbers. */
const watch = (tickEveryMs: number): Operator<Event, Seen> =>
  stateful<Event, Seen, typeof cells>({
    kind: 'watch',
    processingTimeInterval: millis(tickEveryMs),
    cells,
    open: ({ seen }) => ({
      onRecord(_input, { id }, emit) {
        const { records, ticks, clockMs } = seen.get();
        emit({ what: id, clockMs, records, ticks });
        seen.set({ records: records + 1, ticks, clockMs });
      },
      onProcessingTime(clockMs, emit) {
        const { records, ticks } = seen.get();
        emit({ what: 'tick', clockMs, records, ticks });
        seen.set({ records, ticks: ticks + 1, clockMs });
      },
    }),
  });

/**
 * A step that goes by processing time: when it is told depends on the clocks of the processes, which differ, and a replay
 * tells it anew. Which ticks hold is settled by the checkpoints; state and all sinks must tell of the same.
 */
export const clocked: Scenario = {
  name: 'clocked',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => {
      let timeMs = 1_000;
      return Array.from({ length: Math.floor(records / partitions) }, (_, id): Event => {
        timeMs += random.int(4);
        return { id, timeMs };
      });
    });
    const log = { events: inputs.map((events) => logOf(events.map(withTime), random)) };
    const tickEveryMs = random.pick([3, 20, 100]);
    // A sink that is written after the checkpoint gives the run an epoch more, which also stores what no epoch was due for.
    const hasTables = random.chance(0.5);
    return {
      log,
      topology: () =>
        topology('clocked', { deadLetters: simSink('transactional') }, (t) => {
          const seen = t
            .source(
              'events',
              simSource<Event>('events', ({ timeMs }) => timeMs),
            )
            .via('watch', watch(tickEveryMs));
          seen.to('out', simSink('transactional'));
          if (!hasTables) return;
          seen.to('rows', simSink('table'));
          seen.to('later', simSink('deferred'));
        }),
      check: (task, outcome) => check(inputs[task] ?? [], outcome, hasTables),
    };
  },
};

const withTime = (value: Event) => ({ value, timestampMs: value.timeMs });

function check(events: readonly Event[], outcome: Outcome, hasTables: boolean): void {
  const { rows } = outcome.output('out');
  const seen = { records: 0, ticks: 0, clockMs: -1 };
  rows.forEach((row, place) => {
    const { what, clockMs, records, ticks } = row.value as Seen;
    const rises = what === 'tick' ? clockMs > seen.clockMs : clockMs === seen.clockMs && what === events[records]?.id;
    if (records !== seen.records || ticks !== seen.ticks || !rises)
      throw new Error(`place ${place}: ${JSON.stringify(row.value)} comes after ${JSON.stringify(seen)}`);
    seen[what === 'tick' ? 'ticks' : 'records'] += 1;
    seen.clockMs = clockMs;
  });
  if (seen.records !== events.length) throw new Error(`${seen.records} of ${events.length} records came out`);
  if (seen.ticks === 0) throw new Error('no tick came out');
  if (!hasTables) return;
  exactlyInTable('rows', outcome.output('rows'), rows);
  exactlyInTable('later', outcome.output('later'), rows);
}
