import { type MetricRow, seconds } from '../../../src/core/index.js';
import { featureView, hashed, numeric, rolling } from '../../../src/ml/features/index.js';
import { ftrl, logisticRegression, rateBy } from '../../../src/ml/index.js';
import { featurize, learn, map } from '../../../src/operators/index.js';
import { type Outcome, type Random, type Scenario, same, simSink } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable, numbersInState } from './compare.js';
import { rowsAndLabels } from './labelled-rows.js';
import type { Entry } from './merge.js';
import { coordinate, FadingMean, PlainFtrl } from './plain-learner.js';

interface Row {
  readonly id: number;
  readonly timeMs: number;
  readonly key: string;
  readonly slot: number;
  readonly x: number;
}
interface Label {
  readonly of: number;
  readonly timeMs: number;
  readonly delay: number;
}

const WAIT = seconds(4);
const WINDOW = seconds(1);
const HASH_BITS = 8;
const HALF_LIFE = seconds(1);
const PRIOR = 3;
const ALPHA = 0.3;
const LATE = 5;
const DENSE = 3;
const COORDINATES = 1 + DENSE + 2 ** HASH_BITS;
/** What is bounded by age is kept in slices of a twenty-fourth of it: when the memory is freed, and counted. */
const SLICE = Math.ceil(WAIT / 24);

const view = featureView({
  name: 'sim',
  version: 1,
  columns: { x: (r: Row) => r.x, key: (r: Row) => r.key, slot: (r: Row) => r.slot },
  hashBits: HASH_BITS,
  outcome: {
    key: (r: Row) => r.id,
    outcomeKey: (l: Label) => l.of,
    values: { delay: (l: Label) => l.delay },
    wait: WAIT,
    pendingMax: 10_000,
  },
  features: {
    x: numeric('x', { scale: 10 }),
    keyDelay: rolling({ by: 'key', value: 'delay', halfLife: HALF_LIFE, prior: PRIOR }),
    delay: rolling({ value: 'delay', halfLife: HALF_LIFE, prior: PRIOR }),
    key: hashed('key'),
    keyAtSlot: hashed('key', 'slot'),
  },
});

/** Online learning with honest delay, fed by what became of earlier rows: every prediction depends on all before it. */
export const learning: Scenario = {
  name: 'learning',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const { log, orderOf, sourcesOf } = rowsAndLabels(random, inputs);
    return {
      log,
      topology: () =>
        topology('learning', { deadLetters: simSink('transactional'), metrics: simSink('transactional') }, (t) => {
          const { labels, rows } = sourcesOf(t);
          const predicted = rows
            .via('features', { outcomes: labels }, featurize(view))
            .via(
              'model',
              { labels },
              learn(logisticRegression({ optimizer: ftrl({ alpha: ALPHA }) }), {
                as: 'late',
                view,
                key: (row) => row.id,
                label: { key: (label) => label.of, value: (label) => label.delay >= LATE, wait: WAIT },
                pendingMax: 10_000,
                baselines: { keyRate: rateBy({ by: (row: Row) => row.key }) },
                metricsInterval: WINDOW,
                versionEveryLabels: 50,
              }),
            )
            .via(
              'prediction',
              map(({ id, late }) => ({
                id,
                p: late.probability,
                model: late.modelVersion,
                base: late.baselines.keyRate,
              })),
            );
          predicted.to('predictions', simSink('transactional'));
          predicted.to('rows-kept', simSink('table'));
        }),
      check: (task, outcome) => check(task, orderOf(task), outcome),
    };
  },
};

function draw(random: Random, count: number): { rows: Row[]; labels: Label[] } {
  const rows: Row[] = [];
  const labels: Label[] = [];
  const disorderMs = random.pick([0, 0, 60]);
  let nowMs = 1_000_000;
  for (let id = 0; id * 2 < count; id++) {
    nowMs += random.int(16);
    const row = {
      id,
      timeMs: nowMs - random.int(disorderMs + 1),
      key: `k${random.int(9)}`,
      slot: random.int(5),
      x: random.int(100),
    };
    rows.push(row);
    if (random.chance(0.05)) continue; // never a label
    const delay = Math.floor((row.x / 20) * random.next() + row.slot);
    const waits = random.chance(0.04) ? WAIT + random.int(1_000) : random.int(1_500);
    const label = { of: random.chance(0.02) ? -id : id, timeMs: nowMs + waits, delay };
    labels.push(label);
    if (random.chance(0.03)) labels.push({ ...label, timeMs: label.timeMs + random.int(500), delay: delay + 1 });
  }
  labels.sort((a, b) => a.timeMs - b.timeMs);
  return { rows, labels };
}

interface Waiting {
  readonly atMs: number;
  readonly row: Row;
  readonly features: readonly (readonly [coordinate: number, value: number])[];
}

/** Keeps things for `WAIT`: found to the millisecond, dropped by slices. */
class Kept<T extends { readonly atMs: number }> {
  readonly byId = new Map<number, T>();
  private nowMs = Number.NEGATIVE_INFINITY;

  /** Tells the time; returns how many were dropped. */
  expire(nowMs: number): number {
    this.nowMs = nowMs;
    let dropped = 0;
    for (const [id, { atMs }] of this.byId) {
      if (Math.floor(atMs / SLICE) * SLICE + SLICE + WAIT > nowMs) break;
      this.byId.delete(id);
      dropped += 1;
    }
    return dropped;
  }

  get(id: number): T | undefined {
    const kept = this.byId.get(id);
    return kept && kept.atMs + WAIT > this.nowMs ? kept : undefined;
  }
}

function check(task: number, order: readonly Entry<Row | Label>[], outcome: Outcome): void {
  const out: Expected[] = [];
  const measured: { readonly name: string; readonly endMs: number; readonly value: number }[] = [];
  const count = {
    outcomes: 0,
    unmatched: 0,
    expired: 0,
    learned: 0,
    modelUnmatched: 0,
    duplicates: 0,
    modelExpired: 0,
    labels: 0,
  };
  const model = new PlainFtrl(COORDINATES, ALPHA);
  const means = new Map<string, FadingMean>();
  const overall = new FadingMean(HALF_LIFE, PRIOR);
  const rates = new Map<string, { rows: number; positives: number }>();
  const waiting = new Kept<{ readonly atMs: number; readonly key: string }>();
  const pending = new Kept<Waiting>();
  const labelled = new Kept<{ readonly atMs: number }>();
  const meanOf = (key: string) => means.get(key) ?? new FadingMean(HALF_LIFE, PRIOR);
  let nowMs = Number.NEGATIVE_INFINITY;
  let window = { startMs: 0, labelled: 0, positives: 0 };

  for (const { value, timeMs, topic, offset } of order) {
    nowMs = Math.max(nowMs, timeMs);
    const startMs = Math.floor(nowMs / WINDOW) * WINDOW;
    if (startMs !== window.startMs) {
      const endMs = window.startMs + WINDOW;
      if (window.labelled > 0)
        measured.push(
          { name: 'labelled', endMs, value: window.labelled },
          { name: 'positives', endMs, value: window.positives },
        );
      window = { startMs, labelled: 0, positives: 0 };
    }
    count.modelExpired += pending.expire(nowMs);
    labelled.expire(nowMs);
    count.expired += waiting.expire(nowMs);
    if ('of' in value) {
      count.labels += 1;
      const tracked = waiting.get(value.of);
      if (tracked === undefined) count.unmatched += 1;
      else {
        count.outcomes += 1;
        waiting.byId.delete(value.of);
        means.set(tracked.key, meanOf(tracked.key));
        overall.add(nowMs, value.delay);
        meanOf(tracked.key).add(nowMs, value.delay);
      }
      const kept = pending.get(value.of);
      if (kept === undefined) {
        if (labelled.get(value.of)) count.duplicates += 1;
        else count.modelUnmatched += 1;
        continue;
      }
      pending.byId.delete(value.of);
      labelled.byId.set(value.of, { atMs: nowMs });
      const truth = value.delay >= LATE;
      window.labelled += 1;
      if (truth) window.positives += 1;
      const rate = rates.get(kept.row.key) ?? { rows: 0, positives: 0 };
      rates.set(kept.row.key, { rows: rate.rows + 1, positives: rate.positives + (truth ? 1 : 0) });
      model.learn(kept.features, truth);
      count.learned += 1;
      continue;
    }
    const dense = [value.x / 10, meanOf(value.key).at(nowMs), overall.at(nowMs)].map(Math.fround);
    waiting.byId.set(value.id, { atMs: nowMs, key: value.key });
    const first = 1 + DENSE;
    const features = [
      [0, 1],
      ...dense.map((x, i) => [1 + i, x] as const),
      [first + coordinate('key', [value.key], HASH_BITS), 1],
      [first + coordinate('keyAtSlot', [value.key, value.slot], HASH_BITS), 1],
    ] as const;
    pending.byId.set(value.id, { atMs: nowMs, row: value, features });
    const rate = rates.get(value.key) ?? { rows: 0, positives: 0 };
    const version = `model.${task}.${count.learned - (count.learned % 50)}`;
    out.push({
      value: { id: value.id, p: model.predict(features), model: version, base: (rate.positives + 1) / (rate.rows + 2) },
      topic,
      offset,
    });
  }

  exactly('predictions', outcome.output('predictions').rows, out);
  exactlyInTable('rows-kept', outcome.output('rows-kept'), out);
  deadLetters(outcome.output('$dead-letters').rows, []);
  const rows = out.length;
  counters(outcome, {
    'rows/read': rows,
    'labels/read': count.labels,
    'features/in': rows,
    'features/out': rows,
    'features/outcomes': count.outcomes,
    'features/outcomes_unmatched': count.unmatched,
    'features/outcomes_expired': count.expired,
    'model/in': rows,
    'model/out': rows,
    'model/predicted': rows,
    'model/learned': count.learned,
    'model/unmatched': count.modelUnmatched,
    'model/duplicate_labels': count.duplicates,
    'model/expired': count.modelExpired,
    'prediction/in': rows,
    'prediction/out': rows,
    'predictions/written': rows,
    'rows-kept/written': rows,
  });
  const weights = numbersInState(outcome, 'model', 'model-weights', 2 * COORDINATES);
  for (let i = 0; i < weights.length; i++)
    if (!Object.is(weights[i], model.state[i]))
      throw new Error(`number ${i} of the model is ${weights[i]}, expected ${model.state[i]}`);
  const windows = outcome
    .output('$metrics')
    .rows.map(({ value }) => value as MetricRow)
    .filter(({ name }) => name === 'labelled' || name === 'positives')
    .map(({ name, eventTimeMs, value }) => ({ name, endMs: eventTimeMs, value }));
  if (!same(windows, measured))
    throw new Error(`measured ${JSON.stringify(windows)}, expected ${JSON.stringify(measured)}`);
}
