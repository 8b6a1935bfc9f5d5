import { count, sum } from '../../../src/aggregates/index.js';
import { type Change, millis } from '../../../src/core/index.js';
import { splitLate, window } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { onInterval, session, tumbling } from '../../../src/window.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable } from './compare.js';
import { type Entry, entriesOf } from './merge.js';

interface Trip {
  readonly station: string;
  readonly timeMs: number;
  readonly length: number;
}
interface Row {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly trips: number;
  readonly length: number;
}

const DISORDER_MS = 20;
const SIZE_MS = 60;
const LATENESS_MS = 25;
const GAP_MS = 15;
const TOTAL_MS = 240;
/** Records that must agree before the time of a log is known (docs/adr/0018). */
const SETTLED = 3;

const aggregate = { trips: count<Trip>(), length: sum((trip: Trip) => trip.length) };
const key = (trip: Trip) => trip.station;

/** Windows, windows of windows and sessions over one input, some of it late: timers that crashes must not lose or repeat. */
export const windows: Scenario = {
  name: 'windows',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const log = { trips: inputs.map((trips) => logOf(trips.map(withTime), random)) };
    return {
      log,
      topology: () =>
        topology('windows', { deadLetters: simSink('transactional') }, (t) => {
          const source = simSource<Trip>('trips', ({ timeMs }) => timeMs);
          const trips = t.source('trips', { ...source, outOfOrdernessMax: millis(DISORDER_MS) });
          const rows = trips.via(
            'rows',
            window({
              key,
              window: tumbling(millis(SIZE_MS)),
              aggregate,
              allowedLateness: millis(LATENESS_MS),
              keysMax: 9,
            }),
          );
          const totals = rows.via(
            'totals',
            window({
              key: () => 'all',
              window: tumbling(millis(TOTAL_MS)),
              aggregate: { trips: sum((row: Row) => row.trips), length: sum((row: Row) => row.length) },
              allowedLateness: millis(LATENESS_MS),
              keysMax: 1,
            }),
          );
          const { results: sessions, late } = trips.split(
            'sessions',
            splitLate(window({ key, window: session({ gap: millis(GAP_MS) }), aggregate, keysMax: 9 })),
          );
          const changes = trips.via(
            'changes',
            window({
              key,
              window: session({ gap: millis(GAP_MS) }),
              aggregate,
              emit: onInterval({ every: millis(10) }),
              late: 'count',
              keysMax: 9,
            }),
          );
          rows.to('rows-out', simSink('transactional'));
          rows.to('rows-table', simSink('table'));
          totals.to('totals-out', simSink('transactional'));
          sessions.to('sessions-out', simSink('transactional'));
          late.to('late-out', simSink('transactional'));
          late.to('late-table', simSink('table'));
          changes.to('changes-out', simSink('transactional'));
        }),
      check: (task, outcome) => check(entriesOf('trips', inputs[task] ?? [], log.trips[task]), outcome),
    };
  },
};

const withTime = (value: Trip) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, length: number): Trip[] {
  const disorderMs = random.pick([0, 15, 30]);
  const lateShare = random.pick([0.01, 0.2]);
  const keys = random.pick([1, 5]);
  let nowMs = 5_000_000;
  return Array.from({ length }, () => {
    nowMs += random.chance(0.02) ? random.int(120) : random.int(6);
    const behindMs = random.chance(lateShare) ? random.int(150) : random.int(disorderMs + 1);
    return { station: `s${random.int(keys)}`, timeMs: nowMs - behindMs, length: random.int(50) };
  });
}

/** The windows of one step as a plain loop keeps them: those that are open, each with the trips that it took. */
class Open<T> {
  private held: { readonly key: string; readonly startMs: number; readonly endMs: number; readonly taken: T[] }[] = [];

  take(of: string, startMs: number, endMs: number, value: T): void {
    let found = this.held.find((each) => each.key === of && each.startMs === startMs);
    if (!found) {
      found = { key: of, startMs, endMs, taken: [] };
      this.held.push(found);
    }
    found.taken.push(value);
  }

  /** Removes those that end by then: the earliest first, then in the order in which they began to be kept. */
  close(byMs: number) {
    const over = this.held.filter(({ endMs }) => endMs <= byMs).sort((a, b) => a.endMs - b.endMs);
    this.held = this.held.filter(({ endMs }) => endMs > byMs);
    return over;
  }
}

function check(trips: readonly Entry<Trip>[], outcome: Outcome): void {
  const rows: Expected[] = [];
  const totals: Expected[] = [];
  const sessions: Expected[] = [];
  const dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  const open = new Open<Trip>();
  const totalled = new Open<Row>();
  const riding: Entry<Trip>[] = [];
  /** Of each station, the time before which all sessions are closed. */
  const closedMs = new Map<string, number>();
  const late: Expected[] = [];
  let highestMs = Number.NEGATIVE_INFINITY;
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (const [place, entry] of trips.entries()) {
    const { value, timeMs, topic, offset } = entry;
    const startMs = Math.floor(timeMs / SIZE_MS) * SIZE_MS;
    if (startMs + SIZE_MS + LATENESS_MS <= watermarkMs) dead.push({ step: 'rows', reason: 'late', topic, offset });
    else open.take(value.station, startMs, startMs + SIZE_MS, value);

    const near = (other: Entry<Trip>) =>
      other.value.station === value.station && Math.abs(other.timeMs - timeMs) < GAP_MS;
    const closed = closedMs.get(value.station) ?? Number.NEGATIVE_INFINITY;
    if (timeMs < closed || (timeMs + GAP_MS <= watermarkMs && !riding.some(near))) late.push({ value, topic, offset });
    else {
      const isFirst = !riding.some((other) => other.value.station === value.station);
      if (isFirst) closedMs.set(value.station, Math.max(closed, watermarkMs - GAP_MS));
      riding.push(entry);
    }

    highestMs = Math.max(highestMs, timeMs);
    if (place + 1 < SETTLED || highestMs - DISORDER_MS <= watermarkMs) continue;
    watermarkMs = highestMs - DISORDER_MS;
    for (const { key: of, startMs: from, endMs, taken } of open.close(watermarkMs - LATENESS_MS)) {
      const row = rowOf(of, from, endMs, taken.length, taken);
      rows.push({ value: row, topic, offset });
      const totalFrom = Math.floor((endMs - 1) / TOTAL_MS) * TOTAL_MS;
      totalled.take('all', totalFrom, totalFrom + TOTAL_MS, row);
    }
    for (const { startMs: from, endMs, taken } of totalled.close(watermarkMs - LATENESS_MS)) {
      const all = taken.reduce((so, row) => so + row.trips, 0);
      totals.push({ value: rowOf('all', from, endMs, all, taken), topic, offset });
    }
    for (const row of endedSessions(riding, watermarkMs)) {
      sessions.push({ value: row, topic, offset });
      closedMs.set(row.key, Math.max(closedMs.get(row.key) ?? row.endMs, row.endMs));
    }
  }
  exactly('rows', outcome.output('rows-out').rows, rows);
  exactlyInTable('rows in the table', outcome.output('rows-table'), rows);
  exactly('totals', outcome.output('totals-out').rows, totals);
  exactly('sessions', outcome.output('sessions-out').rows, sessions);
  exactly('late trips', outcome.output('late-out').rows, late);
  exactlyInTable('late trips in the table', outcome.output('late-table'), late);
  deadLetters(outcome.output('$dead-letters').rows, dead);
  const changed = outcome.output('changes-out').rows.map(({ value }) => value as Change<Row>);
  followed(
    changed,
    sessions.map(({ value }) => value as Row),
  );
  counters(outcome, {
    'trips/read': trips.length,
    'rows/in': trips.length,
    'rows/out': rows.length,
    'rows/late': dead.length,
    'rows/dead:late': dead.length,
    'totals/in': rows.length,
    'totals/out': totals.length,
    'sessions/in': trips.length,
    'sessions/out': sessions.length + late.length,
    'sessions/late': late.length,
    'changes/in': trips.length,
    'changes/out': changed.length,
    'changes/late': late.length,
    'rows-out/written': rows.length,
    'rows-table/written': rows.length,
    'totals-out/written': totals.length,
    'sessions-out/written': sessions.length,
    'late-out/written': late.length,
    'late-table/written': late.length,
    'changes-out/written': changed.length,
  });
}

function rowOf(
  of: string,
  startMs: number,
  endMs: number,
  trips: number,
  taken: readonly { readonly length: number }[],
) {
  return { key: of, startMs, endMs, trips, length: taken.reduce((so, { length }) => so + length, 0) };
}

/** Takes the sessions that are over out of what was taken, by end, then key. */
function endedSessions(riding: Entry<Trip>[], watermarkMs: number): Row[] {
  const rows: Row[] = [];
  for (const station of new Set(riding.map(({ value }) => value.station))) {
    const sorted = riding.filter(({ value }) => value.station === station).sort((a, b) => a.timeMs - b.timeMs);
    let group: Entry<Trip>[] = [];
    sorted.forEach((entry, i) => {
      group.push(entry);
      const next = sorted[i + 1];
      if (next && next.timeMs - entry.timeMs < GAP_MS) return;
      const endMs = entry.timeMs + GAP_MS;
      if (endMs <= watermarkMs) {
        const [first] = group as [Entry<Trip>];
        rows.push(
          rowOf(
            station,
            first.timeMs,
            endMs,
            group.length,
            group.map(({ value }) => value),
          ),
        );
        for (const each of group) riding.splice(riding.indexOf(each), 1);
      }
      group = [];
    });
  }
  return rows.sort((a, b) => a.endMs - b.endMs || (a.key < b.key ? -1 : 1));
}

/** Each change begins where the last one of its key ended; what is over ends as its row says. */
function followed(changes: readonly Change<Row>[], over: readonly Row[]): void {
  const told = new Map<string, string>();
  for (const { key: of, before, after } of changes) {
    if (JSON.stringify(before) !== (told.get(of) ?? 'null'))
      throw new Error(`changes: ${of} was ${told.get(of)} and changes from ${JSON.stringify(before)}`);
    told.set(of, JSON.stringify(after));
  }
  for (const row of over) {
    const said = told.get(`${row.key}@${row.startMs}`);
    if (said !== JSON.stringify(row)) throw new Error(`changes: ${JSON.stringify(row)} was told as ${said}`);
  }
}
