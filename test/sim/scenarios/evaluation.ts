import { millis } from '../../../src/core/index.js';
import { pageHinkley } from '../../../src/ml/drift/index.js';
import { accuracy } from '../../../src/ml/metrics/index.js';
import { detectDrift, evaluate, map } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable } from './compare.js';
import { type Entry, entriesOf, type Merged, merged } from './merge.js';

interface Prediction {
  readonly id: number;
  readonly origin: string;
  readonly late: boolean;
  readonly timeMs: number;
}
interface Label {
  readonly of: number;
  readonly late: boolean | null;
  readonly timeMs: number;
}
interface Row {
  readonly slice: string;
  readonly value: string;
  readonly startMs: number;
  readonly atMs: number;
  readonly predicted: number;
  readonly labelled: number;
  readonly assumed: number;
  readonly corrected: number;
  readonly right: number | null;
}

const DISORDER_MS = 20;
const EVERY_MS = 60;
const WAIT_MS = 80;
const LAST_MS = 200;
const SLICES_MAX = 2;
/** A sum of deviations of the share of right predictions. */
const THRESHOLD = 0.8;
const WARM_UP = 5;

/**
 * Predictions wait for labels that are late, wrong, missing or null; rows tell what is known by window and slice, and a detector watches
 * them. Both inputs are out of order, some of it late.
 */
export const evaluation: Scenario = {
  name: 'evaluation',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const log = {
      predictions: inputs.map(({ predictions }) => logOf(predictions.map(withTime), random)),
      labels: inputs.map(({ labels }) => logOf(labels.map(withTime), random)),
    };
    return {
      log,
      topology: () =>
        topology('evaluation', { deadLetters: simSink('transactional') }, (t) => {
          const source = <T extends { readonly timeMs: number }>(name: string) =>
            t.source(name, { ...simSource<T>(name, ({ timeMs }) => timeMs), outOfOrdernessMax: millis(DISORDER_MS) });
          const predictions = source<Prediction>('predictions');
          const labels = source<Label>('labels');
          const quality = predictions
            .via(
              'quality',
              { labels },
              evaluate({
                prediction: { key: ({ id }) => id, value: ({ late }) => late },
                label: { key: (label) => label.of, value: (label) => label.late },
                wait: millis(WAIT_MS),
                correctable: millis(LAST_MS - WAIT_MS),
                missing: { label: false },
                metrics: { right: accuracy() },
                slices: { origin: ({ origin }) => origin },
                slicesMax: SLICES_MAX,
                every: millis(EVERY_MS),
                pendingMax: 10_000,
              }),
            )
            .via(
              'told',
              map(
                ({ slice, value, startMs, atMs, predicted, labelled, assumed, corrected, right }): Row => ({
                  ...{ slice, value, startMs, atMs, predicted, labelled, assumed, corrected, right },
                }),
              ),
            );
          const drift = quality.via(
            'drift',
            detectDrift({
              of: ({ right }) => right,
              detector: pageHinkley({ threshold: THRESHOLD, warmUp: WARM_UP, delta: 0, fading: 1 }),
              key: ({ slice, value }) => `${slice}/${value}`,
              keysMax: 100,
            }),
          );
          quality.to('quality-out', simSink('transactional'));
          quality.to('quality-table', simSink('table'));
          drift
            .via(
              'shown',
              map(({ key, numbers, atMs }) => ({ key, numbers, atMs })),
            )
            .to('drift-out', simSink('transactional'));
        }),
      check(task, outcome) {
        const { predictions = [], labels = [] } = inputs[task] ?? {};
        const model = new Model();
        for (const entry of merged<Prediction | Label>([
          entriesOf('predictions', predictions, log.predictions[task]),
          entriesOf('labels', labels, log.labels[task]),
        ]))
          model.take(entry);
        model.compare(outcome);
      },
    };
  },
};

const withTime = <T extends { readonly timeMs: number }>(value: T) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, length: number) {
  const predictions: Prediction[] = [];
  const labels: Label[] = [];
  const lateShare = random.pick([0.005, 0.1]);
  let nowMs = 5_000_000;
  let next = 0;
  for (let i = 0; i < length; i++) {
    nowMs += random.chance(0.02) ? random.int(400) : random.int(5);
    const timeMs = nowMs - (random.chance(lateShare) ? random.int(250) : random.int(DISORDER_MS));
    if (random.chance(0.5)) {
      const id = random.chance(0.05) ? Math.max(0, next - random.int(20)) : next++;
      predictions.push({ id, origin: `o${random.int(4)}`, late: random.chance(0.4), timeMs });
    } else {
      // Of one long ago, of the last ones, or of one that is still to come; some twice, some unknown.
      const of = Math.max(0, next + 2 - random.int(random.chance(0.2) ? 120 : 30));
      labels.push({ of, late: random.chance(0.05) ? null : random.chance(0.4), timeMs });
    }
  }
  return { predictions, labels };
}

type Place = Pick<Entry<unknown>, 'topic' | 'offset'>;

interface Kept {
  readonly prediction: Prediction;
  readonly timeMs: number;
  readonly windows: readonly Window[];
  label: boolean | null;
  assumed: boolean;
}

interface Window {
  readonly place: string;
  readonly slice: string;
  readonly value: string;
  readonly startMs: number;
  readonly kept: Kept[];
  dueMs: number | null;
  corrected: number;
}

/** Both steps as plain loops: each row is computed from all predictions of its window. */
class Model {
  private watermarkMs = Number.NEGATIVE_INFINITY;
  private clockMs = Number.NEGATIVE_INFINITY;
  private pending: Kept[] = [];
  private windows: Window[] = [];
  private readonly watched = new Map<string, number[]>();
  private readonly out: { readonly rows: Expected[]; readonly drifts: Expected[] } = { rows: [], drifts: [] };
  private readonly dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  private readonly count: Record<string, number> = {};

  take(entry: Merged<Prediction | Label>): void {
    const { value, timeMs, settledMs } = entry;
    this.clockMs = Math.max(this.clockMs, timeMs);
    const due = this.windows.filter(({ dueMs }) => dueMs !== null && dueMs <= this.clockMs);
    due.sort((a, b) => (a.dueMs as number) - (b.dueMs as number)); // stable: in the order in which they were opened
    for (const window of due) this.tell(window, window.dueMs as number, entry);
    if ('id' in value) this.predict(entry as Entry<Prediction>);
    else this.label(entry as Entry<Label>);
    if (settledMs - DISORDER_MS > this.watermarkMs) this.rise(settledMs - DISORDER_MS, entry);
  }

  private predict({ value, timeMs, topic, offset }: Entry<Prediction>): void {
    this.add('predictions');
    if (this.pending.some(({ prediction }) => prediction.id === value.id)) {
      this.add('duplicates');
      return;
    }
    if (timeMs + WAIT_MS < this.watermarkMs) {
      this.dead.push({ step: 'quality', reason: 'late', topic, offset });
      return;
    }
    this.add('predicted');
    const startMs = Math.floor(timeMs / EVERY_MS) * EVERY_MS;
    const own = this.windows.filter((window) => window.startMs === startMs);
    const known = own.filter(({ slice, value: of }) => slice === 'origin' && of !== 'other').map(({ value: of }) => of);
    const isKnown = known.includes(value.origin) || known.length < SLICES_MAX;
    const windows = [
      this.windowOf(startMs, 0, 'all', ''),
      this.windowOf(startMs, 1, 'origin', isKnown ? value.origin : 'other'),
    ];
    const kept: Kept = { prediction: value, timeMs, windows, label: null, assumed: false };
    this.pending.push(kept);
    for (const window of windows) window.kept.push(kept);
    this.news(kept, Math.max(timeMs, this.clockMs, this.watermarkMs));
  }

  private windowOf(startMs: number, index: number, slice: string, value: string): Window {
    const place = `${startMs}|${index}|${value}`;
    const found = this.windows.find((window) => window.place === place);
    if (found) return found;
    const window: Window = { place, slice, value, startMs, kept: [], dueMs: null, corrected: 0 };
    this.windows.push(window);
    return window;
  }

  private label({ value: { of, late }, timeMs }: Entry<Label>): void {
    this.add('labels');
    const kept = this.pending.find(({ prediction }) => prediction.id === of);
    if (late === null) this.add('unknown');
    else if (!kept || timeMs > kept.timeMs + LAST_MS) this.add('unmatched');
    else if (kept.label === late && !kept.assumed) this.add('repeated');
    else {
      const isCorrection = kept.label !== null && !kept.assumed;
      this.add(isCorrection ? 'corrected' : 'labelled');
      for (const window of kept.windows) window.corrected += isCorrection ? 1 : 0;
      kept.label = late;
      kept.assumed = false;
      this.news(kept, Math.max(timeMs, this.clockMs, this.watermarkMs));
    }
  }

  private news({ windows }: Kept, nowMs: number): void {
    for (const window of windows) window.dueMs ??= (Math.floor(nowMs / EVERY_MS) + 1) * EVERY_MS;
  }

  /** The watermark rises with a record: what has waited for it ends in the order of time. */
  private rise(toMs: number, by: Place): void {
    const closeMs = ({ startMs }: Window) => startMs + EVERY_MS + LAST_MS + 1;
    for (;;) {
      const nextMs = Math.min(
        ...this.pending.filter(({ label }) => label === null).map(({ timeMs }) => timeMs + WAIT_MS + 1),
        ...this.pending.map(({ timeMs }) => timeMs + LAST_MS + 1),
        ...this.windows.map((window) => Math.min(window.dueMs ?? Number.POSITIVE_INFINITY, closeMs(window))),
      );
      if (nextMs > toMs) break;
      for (const kept of this.pending) {
        if (kept.label !== null || kept.timeMs + WAIT_MS + 1 !== nextMs) continue;
        this.add('assumed');
        kept.label = false;
        kept.assumed = true;
        this.news(kept, Math.max(nextMs, this.clockMs));
      }
      this.pending = this.pending.filter(({ timeMs }) => timeMs + LAST_MS + 1 !== nextMs);
      for (const window of this.windows) if (window.dueMs === nextMs) this.tell(window, nextMs, by);
      for (const window of this.windows)
        if (window.dueMs !== null && closeMs(window) === nextMs) this.tell(window, nextMs, by);
      this.windows = this.windows.filter((window) => closeMs(window) !== nextMs);
    }
    this.watermarkMs = toMs;
  }

  private tell(window: Window, atMs: number, { topic, offset }: Place): void {
    const { slice, value, startMs, kept, corrected } = window;
    window.dueMs = null;
    const labelled = kept.filter(({ label }) => label !== null);
    const right = labelled.filter(({ prediction, label }) => prediction.late === label).length / labelled.length;
    const row: Row = {
      ...{ slice, value, startMs, atMs, predicted: kept.length, labelled: labelled.length },
      ...{ assumed: kept.filter(({ assumed }) => assumed).length, corrected },
      right: labelled.length === 0 ? null : right,
    };
    this.out.rows.push({ value: row, topic, offset });
    this.watch(row, { topic, offset });
  }

  /** Page's test by its definition, over all numbers since the last drift. */
  private watch({ slice, value, right, atMs }: Row, place: Place): void {
    if (right === null) {
      this.add('drift unknown');
      return;
    }
    this.add('drift watched');
    const key = `${slice}/${value}`;
    const numbers = [...(this.watched.get(key) ?? []), right];
    this.watched.set(key, numbers);
    let [mean, sum, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    numbers.forEach((x, i) => {
      mean += (x - mean) / (i + 1);
      sum += x - mean;
      least = Math.min(least, sum);
      most = Math.max(most, sum);
    });
    if (numbers.length < WARM_UP || Math.max(sum - least, most - sum) <= THRESHOLD) return;
    this.add('drifts');
    // The event time of a row is when it was told.
    this.out.drifts.push({ value: { key, numbers: numbers.length, atMs }, ...place });
    this.watched.delete(key);
  }

  private add(name: string): void {
    this.count[name] = (this.count[name] ?? 0) + 1;
  }

  compare(outcome: Outcome): void {
    const { out, dead } = this;
    const n = (name: string) => this.count[name] ?? 0;
    exactly('quality', outcome.output('quality-out').rows, out.rows);
    exactlyInTable('quality in the table', outcome.output('quality-table'), out.rows);
    exactly('drift', outcome.output('drift-out').rows, out.drifts);
    deadLetters(outcome.output('$dead-letters').rows, dead);
    const rows = out.rows.length;
    const drifts = out.drifts.length;
    counters(outcome, {
      'predictions/read': n('predictions'),
      'labels/read': n('labels'),
      'quality/in': n('predictions'),
      'quality/out': rows,
      'quality/dead:late': dead.length,
      ...Object.fromEntries(
        ['predicted', 'labelled', 'assumed', 'corrected', 'repeated', 'unmatched', 'unknown', 'duplicates'].map(
          (name) => [`quality/${name}`, n(name)],
        ),
      ),
      'told/in': rows,
      'told/out': rows,
      'drift/in': rows,
      'drift/out': drifts,
      'drift/watched': n('drift watched'),
      'drift/unknown': n('drift unknown'),
      'drift/drifts': drifts,
      'shown/in': drifts,
      'shown/out': drifts,
      'quality-out/written': rows,
      'quality-table/written': rows,
      'drift-out/written': drifts,
    });
    if (n('assumed') === 0 || n('corrected') === 0) throw new Error('no label was assumed or corrected');
  }
}
