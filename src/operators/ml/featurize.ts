import { stateful, transform } from '../../core/define.js';
import { formatDuration } from '../../core/duration.js';
import { credibleJump, eventClock, furthest, observe } from '../../core/event-clock.js';
import type { FeatureVector } from '../../core/learner.js';
import type { Adds, Free, MultiInputOperator, Operator, Settings } from '../../core/operator.js';
import type { FeatureView, OutcomeView, StatelessView } from '../../ml/features/index.js';
import { rescale, valueCell } from '../../state/index.js';
import { fieldAdder } from '../../util/literals.js';

type WithFeatures = Adds<{ readonly features: FeatureVector }>;

/**
 * Adds `features`, the row's vector by a feature view, and keeps every field.
 *
 * A view of features that depend on the row alone makes a stateless step. A view with rolling features makes a step with
 * the input `outcomes`: what became of earlier rows, each taken in when it arrives.
 *
 *   in        --a--b-------c--|
 *   outcomes  --------(a)-----|
 *   out       --A--B-------C--|     C's rolling features know what became of a, not of b
 *
 * Counters (with outcomes): `outcomes`, `outcomes_unmatched` (no row waits for it: a duplicate, too late, or never seen),
 * `outcomes_rejected` (a value that is not a number, or beyond 1e50), `outcomes_expired` (rows whose outcome never came), `pending_evicted`.
 * Memory: the view's.
 *
 * @example
 * departed.via('features', { outcomes: arrived }, featurize(flightFeatures));
 */
export function featurize<Row, Outcome>(
  view: OutcomeView<Row, Outcome>,
): MultiInputOperator<Row & Free<'features'>, { outcomes: Outcome }, WithFeatures>;
export function featurize<Row>(view: StatelessView<Row>): Operator<Row & Free<'features'>, WithFeatures>;
export function featurize<Row, Outcome>(
  view: StatelessView<Row> | OutcomeView<Row, Outcome>,
): Operator<Row, WithFeatures> | MultiInputOperator<Row, { outcomes: Outcome }, WithFeatures> {
  return view.outcome === undefined ? fromRows(view) : fromRowsAndOutcomes(view);
}

const settingsOf = ({ name, version, hash, shape: { denseSize, hashedSize } }: FeatureView): Settings => ({
  view: name,
  version,
  hash,
  denseSize,
  hashedSize,
});

function fromRows<Row>(view: StatelessView<Row>): Operator<Row, WithFeatures> {
  return transform<Row, WithFeatures>({
    kind: 'featurize',
    settings: settingsOf(view),
    open: () => {
      const logic = view.open();
      const withFeatures = fieldAdder('features');
      return (row, emit) => emit(withFeatures(row, logic.vector(row)));
    },
  });
}

function fromRowsAndOutcomes<Row, Outcome>(
  view: OutcomeView<Row, Outcome>,
): MultiInputOperator<Row, { outcomes: Outcome }, WithFeatures> {
  const { key, outcomeKey, wait, pendingMax } = view.outcome;
  const cells = { ...view.cells, clock: rescale.merged(valueCell({ initial: eventClock() }), furthest) };
  const jumpMs = credibleJump(wait);
  return stateful<Row, { outcomes: Outcome }, WithFeatures, typeof cells>({
    kind: 'featurize',
    settings: { ...settingsOf(view), wait: formatDuration(wait), pendingMax },
    inputs: ['outcomes'],
    keys: [key, outcomeKey],
    cells,
    open: (opened, context) => {
      const logic = view.open(opened);
      const withFeatures = fieldAdder('features');
      const clock = opened.clock;
      const counters = {
        counted: context.counter('outcomes'),
        unmatched: context.counter('outcomes_unmatched'),
        rejected: context.counter('outcomes_rejected'),
      };
      const expired = context.counter('outcomes_expired');
      const evicted = context.counter('pending_evicted');
      let expiredSeen = logic.expired();
      let evictedSeen = logic.evicted();
      return {
        onRecord(input, value, emit, origin) {
          const time = clock.get();
          observe(time, origin.eventTimeMs, jumpMs);
          clock.set(time);
          const { nowMs } = time;
          const features = input === 0 ? logic.track(value as Row, nowMs) : undefined;
          if (!features) counters[logic.observe(value as Outcome, nowMs)].add();
          if (logic.expired() !== expiredSeen) {
            expired.add(logic.expired() - expiredSeen);
            expiredSeen = logic.expired();
          }
          if (logic.evicted() !== evictedSeen) {
            evicted.add(logic.evicted() - evictedSeen);
            evictedSeen = logic.evicted();
          }
          if (features) emit(withFeatures(value, features));
        },
      };
    },
  });
}
