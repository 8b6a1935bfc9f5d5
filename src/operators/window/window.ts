import type { Aggregate } from '../../aggregates/index.js';
import { AFTER_ALL_MS, type Change, type Operator, stateful } from '../../core/index.js';
import { isEmptyKey } from '../keys.js';
import type { EmitResult, WindowEngine, WindowKey } from './engine/engine.js';
import { machineOf } from './engine/open.js';
import {
  type Emitted,
  planOf,
  problemsOf,
  settingsOf,
  type WindowOptions,
  type WindowPlan,
  type WindowRow,
} from './engine/options.js';
import { Refusals } from './engine/refusals.js';
import { counting } from './spec.js';

/** Aggregates over values of a type, by name. */
type Named<In> = Readonly<Record<string, Aggregate<In, unknown>>>;

/**
 * Groups records by key and window of event time, and emits what each window's aggregates say: `{ key, startMs, endMs,
 * ...results }`, at the event time of the window's last millisecond.
 *
 * @example
 * trips.via('by-station', window({
 *   key: (trip) => trip.station,
 *   window: tumbling(minutes(5)),
 *   aggregate: { trips: count(), distance: mean((trip) => trip.distance) },
 *   keysMax: 100_000,
 * }));
 *
 * A window ends where the watermark says so, at the same record in every replay. Each window's result is emitted once by
 * `onClose()`, as changes with `before` and `after` by `onInterval()` and `onUpdate()`. A record that is late but within `allowedLateness` of
 * its window's end is in the result: `onClose()` waits that long, the others correct what they said. What is later
 * goes to the dead letters (reason `late`) or is only counted; windows that overlap take it where they are still open. So does
 * a record that is less than the gap away from a session that is closed: sessions of a key never overlap.
 *
 * Bounds: state is kept until a window's end plus `allowedLateness`, for up to `keysMax` keys in a slice (tumbling windows are one
 * slice, hopping ones share slices of `every`) or at all (sessions, sliding, counting); a record of one key more goes to the dead
 * letters (reason `too-many-keys`), results of the others stay right. Records with event times far ahead of the watermark would
 * keep a window open each for good: beyond some 10,000 slices, 1,000 sessions or 100,000 milliseconds of a key they go to the dead letters
 * (reason `too-many-windows`).
 *
 * Counters: `late`, `partly_late` (taken by some of its windows only), `refused` (for a bound). Dead letters: `late`, `too-many-keys`, `too-many-windows`, `empty-key`. Memory: see the aggregates, plus some
 * 100 bytes a key and slice, or session.
 */
export function window<
  In,
  const K extends string | number,
  const A extends Named<In>,
  Form extends 'row' | 'change' = 'row',
>(options: WindowOptions<In, K, A, Form>): Operator<In, Emitted<Form, WindowRow<K, A>>> {
  const plan = planOf(options, false);
  const { key } = options;
  return operatorOf<In, In, Emitted<Form, WindowRow<K, A>>>(
    'window',
    plan,
    (engine, refuse) => (value, emit, timeMs) => {
      const of = key(value);
      if (isEmptyKey(of)) refuse.emptyKey(of);
      else if (!isDate(timeMs)) refuse.noTime(timeMs);
      else refuse.unlessTaken(engine.add(of, value, timeMs, emit));
    },
  );
}

/** What `windowOfChanges` is told: as `window`, and when a value happened. */
export interface ChangesOptions<In, K, A, Form extends 'row' | 'change'> extends WindowOptions<In, K, A, Form> {
  /** Event time of a value; `before` is retracted from the windows of its own event time. */
  readonly eventTime: (value: In) => number;
}

/**
 * Windows over corrections: `before` is taken back from the windows that it was in, `after` is added to its own.
 *
 * @example
 * hourly.via('daily', windowOfChanges({
 *   key: (hour) => hour.key,
 *   eventTime: (hour) => hour.endMs - 1,
 *   window: tumbling(days(1)),
 *   aggregate: { trips: sum((hour) => hour.trips) },
 *   emit: onUpdate(),
 *   keysMax: 100_000,
 * }));
 *
 * As `window`, for tumbling and hopping windows, and for aggregates that can take values back: `check` names those that
 * cannot. A window from which everything was taken back has no row. Either half of a change may be late: it is then refused
 * and the other half still counts. Counter `unmatched`: values to be taken back that no window held.
 */
export function windowOfChanges<
  In,
  const K extends string | number,
  const A extends Named<In>,
  Form extends 'row' | 'change' = 'row',
>(options: ChangesOptions<In, K, A, Form>): Operator<Change<In>, Emitted<Form, WindowRow<K, A>>> {
  const plan = planOf(options, true);
  const { key, eventTime } = options;
  return operatorOf<In, Change<In>, Emitted<Form, WindowRow<K, A>>>(
    'windowOfChanges',
    plan,
    (engine, refuse) => (change, emit) => {
      for (const half of ['before', 'after'] as const) {
        const value = change[half];
        if (value === null) continue;
        const of = key(value);
        const timeMs = eventTime(value);
        if (isEmptyKey(of)) refuse.emptyKey(of);
        else if (!isDate(timeMs)) refuse.noTime(timeMs);
        else refuse.unlessTaken(engine[half === 'before' ? 'retract' : 'add'](of, value, timeMs, emit));
      }
    },
  );
}

/** Far from it numbers are coarser than a window, whose start and end would be the same. */
const isDate = (timeMs: number): boolean => Math.abs(timeMs) <= AFTER_ALL_MS;

type Take<Value> = (value: Value, emit: EmitResult, timeMs: number) => void;

function operatorOf<In, Value, Out>(
  kind: string,
  plan: WindowPlan,
  take: (engine: WindowEngine<In>, refuse: Refusals) => Take<Value>,
): Operator<Value, Out> {
  const problems = problemsOf(plan);
  // What cannot be laid out is never opened: `check` refuses it.
  const machine = machineOf<In>(problems.length === 0 ? plan : { ...plan, window: counting(1) });
  return stateful({
    kind,
    settings: settingsOf(plan),
    problems,
    cells: machine.cells,
    open(cells, context) {
      const engine = machine.open(cells, context);
      const taking = take(engine, new Refusals(context, plan.late));
      return {
        onRecord: (_input, value: Value, emit, origin) =>
          taking(value, emit as unknown as EmitResult, origin.eventTimeMs),
        onWatermark: (watermarkMs, emit) => engine.advance(watermarkMs, emit as unknown as EmitResult),
        query(key) {
          const held = [...engine.query(key), ...queryNumber(engine, key)];
          return held.length === 0 ? undefined : held;
        },
      };
    },
  }) as Operator<Value, Out>;
}

/** A question names its key as text: it may mean a number. */
function queryNumber<In>(engine: WindowEngine<In>, key: string) {
  const number: WindowKey = Number(key);
  return key !== '' && String(number) === key ? engine.query(number) : [];
}
