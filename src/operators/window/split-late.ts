import type {
  Adds,
  Emit,
  MultiInputOperator,
  MultiInputSplitter,
  Operator,
  Problem,
  Splitter,
  StatefulShape,
  StepContext,
} from '../../core/index.js';

/** A join of two streams has late records of both. What a table is told too late still holds for what follows. */
type LateOf<Sides> = Sides extends { readonly right: infer R } ? { lateRight: R } : unknown;

/**
 * Gives late records of a window, a join or a pattern an output of their own, instead of sending them to the dead letters.
 *
 *   in       --a(3)--b(9)--c(2)--|
 *   results  -----------ab-------|
 *   late     --------------c-----|
 *
 * @example
 * const { results, late } = trips.split('hourly', splitLate(window({
 *   key: (trip) => trip.station,
 *   window: tumbling(hours(1)),
 *   aggregate: { trips: count() },
 *   keysMax: 10_000,
 * })));
 * late.to('late-trips', kafka.sink({ topic: 'trips.late.v1', schema: json() }));
 *
 * A late record is emitted unchanged, with its own event time, once. A join of two streams has the further output `lateRight` for its
 * right input. Later steps that use event time find the records late too. So count them, store them, or write them to a topic of their
 * own. Records that are refused for other reasons stay dead letters.
 *
 * State, counters and memory are those of the operator. Adding or removing `splitLate` keeps the state of the step.
 */
export function splitLate<In, Out>(operator: Operator<In, Out>): Splitter<In, { results: Out; late: Adds<unknown> }>;
export function splitLate<In, Sides, Out>(
  operator: MultiInputOperator<In, Sides, Out>,
): MultiInputSplitter<In, Sides, { results: Out; late: Adds<unknown> } & LateOf<Sides>>;
export function splitLate(operator: Operator<never, unknown> | MultiInputOperator<never, never, unknown>): unknown {
  const { kind, settings, shape, problems = [] } = operator;
  if (shape.shape !== 'stateful' || shape.outputs !== undefined)
    return { ...operator, problems: [...problems, notLate(kind)] };
  return {
    ...operator,
    settings: { ...settings, late: 'output' },
    shape: diverted(shape),
    problems: [
      ...problems,
      ...(TAKES_ALL.has(kind) ? [notLate(kind)] : []),
      ...(settings.late === 'count' ? [counted] : []),
    ],
  };
}

/** Operators with state that take records however late they come. Of others, such as those of users, it is not known. */
const TAKES_ALL: ReadonlySet<string> = new Set([
  ...['dedupe', 'throttle', 'detectInactivity', 'merge', 'table', 'stratify', 'undersample'],
  ...['innerJoinTables', 'leftJoinTables', 'outerJoinTables'],
  ...['validate', 'quarantine', 'clip', 'impute', 'standardize', 'featurize', 'detectDrift'],
]);

const notLate = (kind: string): Problem => ({
  message: `${kind} has no late records`,
  hint: 'use splitLate around a window, a join or a pattern',
});

const counted: Problem = {
  message: 'the late records are only counted, so none can be split off',
  hint: "remove `late: 'count'`",
};

function diverted(shape: StatefulShape): StatefulShape {
  const right = shape.inputs.indexOf('right') + 1;
  return {
    ...shape,
    outputs: ['results', 'late', ...(right > 0 ? ['lateRight'] : [])],
    open(cells, context) {
      let input = 0;
      let isLate = false;
      const inner: StepContext = {
        topology: context.topology,
        step: context.step,
        task: context.task,
        get watermarkMs() {
          return context.watermarkMs;
        },
        counter: (name) => context.counter(name),
        measure: (name, value, eventTimeMs, of) => context.measure(name, value, eventTimeMs, of),
        fail: (message, hint) => context.fail(message, hint),
        deadLetter(reason, detail) {
          if (reason === 'late' && (input === 0 || input === right)) isLate = true;
          else context.deadLetter(reason, detail);
        },
      };
      const logic = shape.open(cells, inner);
      const { onWatermark, onProcessingTime, onCheckpoint, query } = logic;
      return {
        onRecord(of, value, emit: Emit, origin) {
          input = of;
          isLate = false;
          logic.onRecord(of, value, emit, origin);
          if (isLate) emit(value, undefined, of === 0 ? 1 : 2);
        },
        ...(onWatermark && { onWatermark: onWatermark.bind(logic) }),
        ...(onProcessingTime && { onProcessingTime: onProcessingTime.bind(logic) }),
        ...(onCheckpoint && { onCheckpoint: onCheckpoint.bind(logic) }),
        ...(query && { query: query.bind(logic) }),
      };
    },
  };
}
