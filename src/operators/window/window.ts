import type { Aggregate } from '../../aggregates/index.js';
import {
  AFTER_ALL_MS,
  type CellSpecs,
  type Change,
  type Operator,
  type Problem,
  type StepKeys,
  stateful,
} from '../../core/index.js';
import { isEmptyKey } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import type { EmitResult, Row, WindowEngine, WindowKey } from './engine/engine.js';
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
 * Groups records by key and by window of event time, and emits the aggregates of each window: `{ key, startMs, endMs, ...results }`. The
 * event time of a result is the last millisecond of its window.
 *
 * @example
 * trips.via('by-station', window({
 *   key: (trip) => trip.station,
 *   window: tumbling(minutes(5)),
 *   aggregate: { trips: count(), distance: mean((trip) => trip.distance) },
 *   keysMax: 100_000,
 * }));
 *
 * A window closes when the watermark passes its end, at the same record in every replay. `onClose()` emits its result once. `onInterval()`
 * and `onUpdate()` emit changes with `before` and `after`. A late record within `allowedLateness` of the end of its window is included:
 * `onClose()` waits that long, and the other two emit a correction. A later record goes to the dead letters (reason `late`), or is only
 * counted; if windows overlap, those that are still open include it. A record within the gap of a closed session is late too, so sessions
 * of a key never overlap.
 *
 * Bounds: state is kept until the end of a window plus `allowedLateness`. `keysMax` limits the keys of a slice (a tumbling window is one
 * slice, hopping windows share slices of `every`), or all keys (session, sliding and counting windows). A record of one more key goes to
 * the dead letters (reason `too-many-keys`); the results of other keys stay correct. Records far ahead of the watermark keep windows open.
 * Above some 10,000 slices, 1,000 sessions or 100,000 milliseconds per key they go to the dead letters (reason `too-many-windows`).
 *
 * Counters: `late`, `partly_late` (included by some of its windows only), `refused` (by a bound). Dead letters: `late`, `too-many-keys`,
 * `too-many-windows`, `empty-key`. Memory: the aggregates, and some 100 bytes per key and slice, or per session.
 */
export function window<
  In,
  const K extends string | number,
  const A extends Named<In>,
  Form extends 'row' | 'change' = 'row',
>(options: WindowOptions<In, K, A, Form>): Operator<In, Emitted<Form, WindowRow<K, A>>> {
  requireOptions('window', options);
  const plan = planOf(options, false);
  const { key } = options;
  return operatorOf<In, In, Emitted<Form, WindowRow<K, A>>>(
    'window',
    plan,
    { problems: optionProblems('window', options), keys: [key] },
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
 * Windows over a changelog: retracts `before` from the windows that contain it, and adds `after` to its windows.
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
 * Like `window`, for tumbling and hopping windows and for aggregates that can retract; `check` names those that cannot. A window whose
 * values were all retracted has no row. If one half of a change is late, it is refused, and the other half still counts. Counter
 * `unmatched`: values to retract that no window contained.
 */
export function windowOfChanges<
  In,
  const K extends string | number,
  const A extends Named<In>,
  Form extends 'row' | 'change' = 'row',
>(options: ChangesOptions<In, K, A, Form>): Operator<Change<In>, Emitted<Form, WindowRow<K, A>>> {
  requireOptions('windowOfChanges', options);
  const plan = planOf(options, true);
  const { key, eventTime } = options;
  return operatorOf<In, Change<In>, Emitted<Form, WindowRow<K, A>>>(
    'windowOfChanges',
    plan,
    { problems: optionProblems('windowOfChanges', options) },
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
  own: { readonly problems: readonly Problem[]; readonly keys?: StepKeys },
  take: (engine: WindowEngine<In>, refuse: Refusals) => Take<Value>,
): Operator<Value, Out> {
  const problems = [...own.problems, ...problemsOf(plan)];
  // What cannot be laid out is never opened: `check` refuses it.
  const machine = machineOf<In>(problems.length === 0 ? plan : { ...plan, window: counting(1) });
  return stateful<Value, Row | Change<Row>, CellSpecs>({
    kind,
    settings: settingsOf(plan),
    ...own,
    problems,
    cells: machine.cells,
    open(cells, context) {
      const engine = machine.open(cells, context);
      const taking = take(engine, new Refusals(context, plan.late));
      return {
        onRecord: (_input, value, emit, origin) => taking(value, emit, origin.eventTimeMs),
        onWatermark: (watermarkMs, emit) => engine.advance(watermarkMs, emit),
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
