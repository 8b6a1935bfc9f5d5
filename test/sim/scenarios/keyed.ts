import { hours, type Learner } from '../../../src/core/index.js';
import { featureView, hashed, numeric } from '../../../src/ml/features/index.js';
import { factorizationMachine, ftrl, logisticRegression, pipe, sgd, standardScaler } from '../../../src/ml/index.js';
import { featurize, learn, map } from '../../../src/operators/index.js';
import { type Outcome, type Random, type Scenario, simSink } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { PlainModels } from '../../ml/plain-models.js';
import { counters, deadLetters, type Expected, exactly } from './compare.js';
import { drawLabelled, type Label, rowsAndLabels } from './labelled-rows.js';
import type { Entry } from './merge.js';

interface Row {
  readonly id: number;
  readonly timeMs: number;
  readonly shop: string;
  readonly item: number;
  readonly x: number;
}

const view = featureView({
  name: 'keyed',
  version: 1,
  hashBits: 4,
  columns: { item: (r: Row) => r.item, x: (r: Row) => r.x },
  features: { x: numeric('x', { scale: 50 }), item: hashed('item') },
});

const learners: readonly Learner<boolean, number>[] = [
  logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) }),
  pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.1 }) })),
  factorizationMachine({ optimizer: sgd({ rate: 0.1 }), factors: 2 }),
];

/** A model a key, with more keys than models: each prediction depends on which models were dropped before, and when. */
export const keyed: Scenario = {
  name: 'keyed',
  draw(random, partitions, records) {
    const learner = random.pick(learners);
    const modelsMax = 3 + random.int(8);
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const { log, orderOf, sourcesOf } = rowsAndLabels(random, inputs);
    return {
      log,
      topology: () =>
        topology('keyed', { deadLetters: simSink('transactional') }, (t) => {
          const { labels, rows } = sourcesOf(t);
          rows
            .via('features', featurize(view))
            .via(
              'model',
              { labels },
              learn(learner, {
                as: 'said',
                view,
                key: (row) => row.id,
                label: { key: (label) => label.of, value: (label) => label.said, wait: hours(1) },
                pendingMax: 10_000,
                by: { key: (row) => row.shop, modelsMax },
              }),
            )
            .via(
              'prediction',
              map(({ id, said }) => ({ id, p: said.probability })),
            )
            .to('predictions', simSink('transactional'));
        }),
      check: (task, outcome) => check(new PlainModels(learner, view.shape, modelsMax), orderOf(task), outcome),
    };
  },
};

const draw = (random: Random, count: number) =>
  drawLabelled(random, count, (id, timeMs) => {
    const shop = random.int(random.chance(0.9) ? 4 : 20);
    const item = random.int(9);
    const row: Row = { id, timeMs, shop: `shop-${shop}`, item, x: random.chance(0.01) ? 1e9 : random.int(100) };
    // What sells differs from shop to shop.
    return { row, said: row.x + 10 * ((item * shop) % 7) > 70 };
  });

function check(models: PlainModels, order: readonly Entry<Row | Label>[], outcome: Outcome): void {
  const { vector } = view.open();
  const rows = new Map<number, Row>();
  const out: Expected[] = [];
  const count = { labels: 0, learned: 0, refused: 0 };
  for (const { value, topic, offset } of order) {
    if ('of' in value) {
      const row = rows.get(value.of) as Row;
      count.labels += 1;
      if (models.learn(vector(row), value.said, row.shop)) count.learned += 1;
      else count.refused += 1;
      continue;
    }
    rows.set(value.id, value);
    out.push({ value: { id: value.id, p: models.predict(vector(value), value.shop) }, topic, offset });
  }
  exactly('predictions', outcome.output('predictions').rows, out);
  deadLetters(outcome.output('$dead-letters').rows, []);
  counters(outcome, {
    'rows/read': out.length,
    'labels/read': count.labels,
    'features/in': out.length,
    'features/out': out.length,
    'model/in': out.length,
    'model/out': out.length,
    'model/predicted': out.length,
    'model/learned': count.learned,
    'model/refused': count.refused,
    'model/refused:too-large': count.refused,
    'model/models_evicted': models.evicted,
    'prediction/in': out.length,
    'prediction/out': out.length,
    'predictions/written': out.length,
  });
}
