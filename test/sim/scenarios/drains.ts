import { count } from '../../../src/aggregates/index.js';
import { millis } from '../../../src/core/index.js';
import { window } from '../../../src/operators/index.js';
import { END_TOPIC } from '../../../src/runtime/end-of-run.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { tumbling } from '../../../src/window.js';
import { exactlyInTable } from './compare.js';

interface Visit {
  readonly room: string;
  readonly timeMs: number;
}
interface Row {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly visits: number;
}

const SIZE_MS = 400;

/**
 * Runs that end with the end of time, again and again: what is open there is closed once, under one identity, however many
 * epochs and processes it took. Where the log grows between the runs, every record is in one window or late.
 */
export const drains: Scenario = {
  name: 'drains',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const grows = random.chance(0.5);
    return {
      log: { visits: inputs.map((visits) => logOf(visits.map(withTime), random)) },
      drains: true,
      grows,
      topology: () =>
        topology('drains', { deadLetters: simSink('transactional') }, (t) => {
          const rows = t
            .source(
              'visits',
              simSource<Visit>('visits', ({ timeMs }) => timeMs),
            )
            .via(
              'rows',
              window({
                key: ({ room }) => room,
                window: tumbling(millis(SIZE_MS)),
                aggregate: { visits: count<Visit>() },
                keysMax: 50,
              }),
            );
          rows.to('out', simSink('transactional'));
          rows.to('table', simSink('table'));
          rows.to('later', simSink('deferred'));
        }),
      check: (task, outcome) => check(inputs[task] ?? [], outcome, grows),
    };
  },
};

const withTime = (value: Visit) => ({ value, timestampMs: value.timeMs });

/** In order, so that nothing is late where the log lies there from the start. */
function draw(random: Random, length: number): Visit[] {
  let timeMs = 1_000;
  return Array.from({ length }, () => {
    timeMs += random.int(3);
    return { room: `room ${random.int(50)}`, timeMs };
  });
}

const nameOf = ({ key, startMs }: Row): string => `${key}@${startMs}`;

function check(visits: readonly Visit[], outcome: Outcome, grows: boolean): void {
  const { rows } = outcome.output('out');
  const late = outcome.output('$dead-letters').rows.length;
  const counted = rows.reduce((sum, { value }) => sum + (value as Row).visits, 0);
  if (counted + late !== visits.length)
    throw new Error(`${counted} of ${visits.length} visits are in a window, ${late} are late`);
  exactlyInTable('table', outcome.output('table'), rows);
  exactlyInTable('later', outcome.output('later'), rows);
  if (grows) return;
  const expected = new Set(visits.map(({ room, timeMs }) => `${room}@${Math.floor(timeMs / SIZE_MS) * SIZE_MS}`));
  const names = new Set(rows.map(({ value }) => nameOf(value as Row)));
  if (names.size !== expected.size || rows.length !== expected.size)
    throw new Error(`${rows.length} rows of ${names.size} windows, expected ${expected.size}`);
  const ends = new Set(rows.filter(({ topic }) => topic === END_TOPIC).map(({ offset }) => offset));
  if (visits.length > 0 && [...ends].join() !== '1') throw new Error(`time ended as number ${[...ends].join()}`);
}
