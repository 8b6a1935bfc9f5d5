import { type CellSpec, type ClassScores, hours, type Learner } from '../../../src/core/index.js';
import { featureView, numeric, oneHot } from '../../../src/ml/features/index.js';
import {
  adaptiveRandomForest,
  adaptiveRandomForestRegression,
  hoeffdingAdaptiveTree,
  hoeffdingTree,
  hoeffdingTreeRegression,
  kNearestNeighbors,
  leveragingBagging,
  pipe,
  standardScaler,
} from '../../../src/ml/index.js';
import { featurize, learn, map } from '../../../src/operators/index.js';
import { type Outcome, type Random, type Scenario, simSink } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { deadLetters, type Expected, exactly } from './compare.js';
import { rowsAndLabels } from './labelled-rows.js';
import type { Entry } from './merge.js';

interface Row {
  readonly id: number;
  readonly timeMs: number;
  readonly kind: string;
  readonly x: number;
  readonly y: number;
}
interface Label {
  readonly of: number;
  readonly timeMs: number;
  readonly said: string;
  readonly amount: number;
}

const view = featureView({
  name: 'trees',
  version: 1,
  columns: { kind: (r: Row) => r.kind, x: (r: Row) => r.x, y: (r: Row) => r.y },
  features: { kind: oneHot('kind', ['a', 'b', 'c']), x: numeric('x'), y: numeric('y') },
});

/** Small trees that split often, close leaves, and are replaced without need. */
const grown = { gracePeriod: 12, delta: 0.3, nodesMax: 15, openLeavesMax: 4 };
const ofNumbers = { ...grown, binsMax: 6 };
const nervous = { trees: 2, warningDelta: 0.9, driftDelta: 0.8 };
const classes = ['low', 'high'];

/** Of classes or of numbers. */
type AnyLearner = Learner<string | number, ClassScores | number>;

const learners = [
  hoeffdingTree({ ...grown, classes }),
  adaptiveRandomForest({ ...grown, ...nervous, classes }),
  hoeffdingAdaptiveTree({ ...grown, classes, driftDelta: 0.9, switchDelta: 1.9, comparedRowsMin: 8 }),
  leveragingBagging({ ...grown, classes, trees: 2, driftDelta: 0.9 }),
  kNearestNeighbors({ classes, neighbors: 3, window: 60 }),
  pipe(standardScaler(), hoeffdingTreeRegression(ofNumbers)),
  adaptiveRandomForestRegression({ ...ofNumbers, ...nervous }),
] as readonly AnyLearner[];

const labelFor = ({ output }: AnyLearner, { said, amount }: Label) => (output === 'number' ? amount : said);

/** Trees, and neighbours, that learn late labels: each prediction depends on all splits before it, and the arenas end as those of a plain loop. */
export const trees: Scenario = {
  name: 'trees',
  draw(random, partitions, records) {
    const learner = random.pick(learners);
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const { log, orderOf, sourcesOf } = rowsAndLabels(random, inputs);
    return {
      log,
      topology: () =>
        topology('trees', { deadLetters: simSink('transactional'), metrics: simSink('transactional') }, (t) => {
          const { labels, rows } = sourcesOf(t);
          rows
            .via('features', featurize(view))
            .via(
              'model',
              { labels },
              learn(learner, {
                as: 'level',
                view,
                key: (row) => row.id,
                label: { key: (label) => label.of, value: (label) => labelFor(learner, label), wait: hours(1) },
                pendingMax: 10_000,
              }),
            )
            .via(
              'prediction',
              map(({ id, level }) => ({
                id,
                level: 'scores' in level ? (level.scores as { high: number }).high : level.value,
              })),
            )
            .to('predictions', simSink('transactional'));
        }),
      check: (task, outcome) => check(learner, orderOf(task), outcome),
    };
  },
};

function draw(random: Random, count: number): { rows: Row[]; labels: Label[] } {
  const rows: Row[] = [];
  const labels: Label[] = [];
  for (let id = 0, timeMs = 1_000_000; id * 2 < count; id++) {
    timeMs += random.int(16);
    const row = { id, timeMs, kind: random.pick(['a', 'b', 'c']), x: random.int(100), y: random.int(100) };
    rows.push(row);
    // What is high turns over from time to time.
    const isHigh = row.kind === 'a' ? row.x > 50 : row.y + (Math.floor(id / 200) % 2) * 60 > 70;
    const said = isHigh !== random.chance(0.1) ? 'high' : 'low';
    if (random.chance(0.95)) {
      const amount = (said === 'high' ? 20 : 0) + row.y / 10 + random.int(5);
      labels.push({ of: id, timeMs: timeMs + 1 + random.int(400), said, amount });
    }
  }
  labels.sort((a, b) => a.timeMs - b.timeMs);
  return { rows, labels };
}

const empty = new Uint8Array();

function check(learner: AnyLearner, order: readonly Entry<Row | Label>[], outcome: Outcome): void {
  const specs = Object.entries<CellSpec>(learner.cells(view.shape));
  const cells = Object.fromEntries(specs.map(([name, spec]) => [name, spec.open()]));
  const model = learner.open(cells, view.shape);
  const { vector } = view.open();
  const rows = new Map<number, Row>();
  const out: Expected[] = [];
  for (const { value, topic, offset } of order) {
    if ('of' in value) {
      const row = rows.get(value.of);
      if (row) model.learnOne(vector(row), labelFor(learner, value));
      continue;
    }
    rows.set(value.id, value);
    const said = model.predictOne(vector(value));
    out.push({ value: { id: value.id, level: typeof said === 'number' ? said : said[1] }, topic, offset });
  }
  exactly('predictions', outcome.output('predictions').rows, out);
  deadLetters(outcome.output('$dead-letters').rows, []);
  for (const [name, cell] of Object.entries(cells)) {
    const expected = cell.takeChanges().filter(({ bytes }) => bytes);
    const stored = outcome.state('model', `model-${name}`).filter(({ bytes }) => bytes);
    if (stored.length !== expected.length)
      throw new Error(`${name} has ${stored.length} blocks in the checkpoint, expected ${expected.length}`);
    for (const { bucket, bytes } of expected)
      if (Buffer.compare(stored.find((block) => block.bucket === bucket)?.bytes ?? empty, bytes ?? empty) !== 0)
        throw new Error(`block ${bucket} of ${name} is not as a plain loop leaves it`);
  }
}
