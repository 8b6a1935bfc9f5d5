import { hours } from '../../../src/core/index.js';
import { adwin, type DriftDetector, ddm, hddmA } from '../../../src/ml/drift/index.js';
import { ftrl, logisticRegression } from '../../../src/ml/index.js';
import { featurize, learn, map } from '../../../src/operators/index.js';
import { type Outcome, type Scenario, simSink } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { PlainDrift, type PlainSaid } from '../../ml/plain-drift.js';
import { counters, deadLetters, type Expected, exactly } from './compare.js';
import { drawRows, type Label, type Row, rowsAndLabels, viewOf } from './labelled-rows.js';
import type { Entry } from './merge.js';

const view = viewOf('drift');
const learner = logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) });
const detectors: readonly DriftDetector[] = [
  ddm({ warmUp: 10, warningAt: 1, driftAt: 2 }),
  adwin({ delta: 0.3 }),
  hddmA({ driftAt: 0.1, warningAt: 0.3 }),
];

/** Learners that begin, end and take each other's place: each prediction depends on which one is the model. */
export const drift: Scenario = {
  name: 'drift',
  draw(random, partitions, records) {
    const plan = {
      detector: random.pick(detectors),
      act: random.pick(['warn', 'replace', 'replace', 'reset'] as const),
      compareLabels: 5 + random.int(40),
    };
    const change = 30 + random.int(100);
    const isTurned = (id: number) => Math.floor(id / change) % 2 === 1;
    const inputs = Array.from({ length: partitions }, () =>
      drawRows(random, Math.floor(records / partitions), isTurned),
    );
    const { log, orderOf, sourcesOf } = rowsAndLabels(random, inputs);
    return {
      log,
      topology: () =>
        topology('drift', { deadLetters: simSink('transactional') }, (t) => {
          const { labels, rows } = sourcesOf(t);
          const { predicted, drifts } = rows.via('features', featurize(view)).split(
            'model',
            { labels },
            learn(learner, {
              as: 'said',
              view,
              key: (row) => row.id,
              label: { key: (label) => label.of, value: (label) => label.said, wait: hours(1) },
              pendingMax: 10_000,
              drift: plan,
            }),
          );
          predicted
            .via(
              'prediction',
              map(({ id, said }) => ({ id, p: said.probability })),
            )
            .to('predictions', simSink('transactional'));
          drifts
            .via(
              'event',
              map(({ event }) => ({ event })),
            )
            .to('events', simSink('transactional'));
        }),
      check: (task, outcome) => check(new PlainDrift(learner, view.shape, plan), orderOf(task), outcome),
    };
  },
};

function check(models: PlainDrift, order: readonly Entry<Row | Label>[], outcome: Outcome): void {
  const { vector } = view.open();
  const rows = new Map<number, { readonly row: Row; readonly said: PlainSaid }>();
  const predicted: Expected[] = [];
  const events: Expected[] = [];
  let refused = 0;
  let learned = 0;
  let unwatched = 0;
  for (const { value, topic, offset } of order) {
    if (!('of' in value)) {
      const said = models.predict(vector(value));
      rows.set(value.id, { row: value, said });
      predicted.push({ value: { id: value.id, p: said.probability }, topic, offset });
      continue;
    }
    const { row, said } = rows.get(value.of) as { row: Row; said: PlainSaid };
    if (!models.watches(said)) unwatched += 1;
    const found = models.learn(vector(row), value.said, said);
    if (found) learned += 1;
    else refused += 1;
    for (const event of found ?? []) events.push({ value: { event }, topic, offset });
  }
  exactly('predictions', outcome.output('predictions').rows, predicted);
  exactly('events', outcome.output('events').rows, events);
  deadLetters(outcome.output('$dead-letters').rows, []);
  const rowsRead = predicted.length;
  const of = (event: string): number =>
    events.filter(({ value }) => (value as { event: string }).event === event).length;
  counters(outcome, {
    'rows/read': rowsRead,
    'labels/read': learned + refused,
    'features/in': rowsRead,
    'features/out': rowsRead,
    'model/in': rowsRead,
    'model/out': rowsRead + events.length,
    'model/predicted': rowsRead,
    'model/learned': learned,
    'model/refused': refused,
    'model/refused:too-large': refused,
    'model/unwatched': unwatched,
    'model/warnings': of('warning'),
    'model/drifts': of('drift'),
    'model/replaced': of('replaced'),
    'model/dummy_drifts': models.dummyDrifts,
    'prediction/in': rowsRead,
    'prediction/out': rowsRead,
    'predictions/written': rowsRead,
    'event/in': events.length,
    'event/out': events.length,
    'events/written': events.length,
  });
}
