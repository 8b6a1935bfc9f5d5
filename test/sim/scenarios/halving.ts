import { hours, type Learner } from '../../../src/core/index.js';
import {
  factorizationMachine,
  ftrl,
  logisticRegression,
  passiveAggressive,
  pipe,
  sgd,
  standardScaler,
} from '../../../src/ml/index.js';
import { featurize, map, selectBySuccessiveHalving } from '../../../src/operators/index.js';
import { type Outcome, type Scenario, simSink } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { PlainHalving } from '../../ml/plain-halving.js';
import { counters, deadLetters, type Expected, exactly } from './compare.js';
import { drawRows, type Label, type Row, rowsAndLabels, viewOf } from './labelled-rows.js';
import type { Entry } from './merge.js';

const view = viewOf('halving');

const all: Readonly<Record<string, Learner<boolean, number>>> = {
  slow: logisticRegression({ optimizer: ftrl({ alpha: 0.01 }) }),
  fast: logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) }),
  // It refuses what the others learn.
  careful: logisticRegression({ optimizer: ftrl({ alpha: 0.2 }), featureMax: 1.5 }),
  scaled: pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.1 }) })),
  pairs: factorizationMachine({ optimizer: sgd({ rate: 0.1 }), factors: 2 }),
  passive: passiveAggressive(),
};

/** Candidates of which most are dropped at some time: each prediction depends on who was ahead, and on all that they learnt. */
export const halving: Scenario = {
  name: 'halving',
  draw(random, partitions, records) {
    const from = random.int(3);
    const names = Object.keys(all).slice(from, from + 3 + random.int(4));
    const candidates = Object.fromEntries(names.map((name) => [name, all[name] as Learner<boolean, number>]));
    const rungLabels = 3 + random.int(60);
    const inputs = Array.from({ length: partitions }, () => drawRows(random, Math.floor(records / partitions)));
    const { log, orderOf, sourcesOf } = rowsAndLabels(random, inputs);
    return {
      log,
      topology: () =>
        topology('halving', { deadLetters: simSink('transactional') }, (t) => {
          const { labels, rows } = sourcesOf(t);
          const { predicted, eliminations } = rows.via('features', featurize(view)).split(
            'model',
            { labels },
            selectBySuccessiveHalving(candidates, {
              as: 'said',
              view,
              key: (row) => row.id,
              label: { key: (label) => label.of, value: (label) => label.said, wait: hours(1) },
              pendingMax: 10_000,
              rungLabels,
            }),
          );
          predicted
            .via(
              'prediction',
              map(({ id, said }) => ({ id, p: said.probability, by: said.candidate })),
            )
            .to('predictions', simSink('transactional'));
          eliminations
            .via(
              'elimination',
              map(({ candidate, loss, best, bestLoss, labels }) => ({ candidate, loss, best, bestLoss, labels })),
            )
            .to('eliminations', simSink('transactional'));
        }),
      check: (task, outcome) => check(new PlainHalving(candidates, view.shape, rungLabels), orderOf(task), outcome),
    };
  },
};

function check(models: PlainHalving, order: readonly Entry<Row | Label>[], outcome: Outcome): void {
  const { vector } = view.open();
  const rows = new Map<number, { readonly row: Row; readonly said: readonly number[] }>();
  const predicted: Expected[] = [];
  const eliminated: Expected[] = [];
  const count = { labels: 0, learned: 0, refused: 0 };
  for (const { value, topic, offset } of order) {
    if ('of' in value) {
      const { row, said } = rows.get(value.of) as { row: Row; said: readonly number[] };
      count.labels += 1;
      const dropped = models.learn(vector(row), value.said, said);
      if (dropped) count.learned += 1;
      else count.refused += 1;
      for (const each of dropped ?? []) eliminated.push({ value: each, topic, offset });
      continue;
    }
    const { said, probability, candidate } = models.predict(vector(value));
    rows.set(value.id, { row: value, said });
    predicted.push({ value: { id: value.id, p: probability, by: candidate }, topic, offset });
  }
  exactly('predictions', outcome.output('predictions').rows, predicted);
  exactly('eliminations', outcome.output('eliminations').rows, eliminated);
  deadLetters(outcome.output('$dead-letters').rows, []);
  models.checkStored((cell) => outcome.state('model', `model-${cell}`));
  const rowsRead = predicted.length;
  counters(outcome, {
    'rows/read': rowsRead,
    'labels/read': count.labels,
    'features/in': rowsRead,
    'features/out': rowsRead,
    'model/in': rowsRead,
    'model/out': rowsRead + eliminated.length,
    'model/predicted': rowsRead,
    'model/learned': count.learned,
    'model/refused': count.refused,
    'model/refused:too-large': count.refused,
    'model/eliminated': eliminated.length,
    'prediction/in': rowsRead,
    'prediction/out': rowsRead,
    'predictions/written': rowsRead,
    'elimination/in': eliminated.length,
    'elimination/out': eliminated.length,
    'eliminations/written': eliminated.length,
  });
}
