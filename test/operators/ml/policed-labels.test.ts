import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis } from '../../../src/core/index.js';
import { featureView, numeric } from '../../../src/ml/features/index.js';
import { linearRegression, logisticRegression, runningRate, sgd, softmaxRegression } from '../../../src/ml/index.js';
import { logLossOf } from '../../../src/ml/metrics/probabilities/log-loss.js';
import { learn } from '../../../src/operators/ml/learn.js';
import type { LabelPolicies } from '../../../src/operators/ml/policed-labels.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { openLearner } from '../../ml/support.js';

interface Row {
  readonly id: string;
  readonly size: number;
}
interface Label {
  readonly id: string;
  readonly late: boolean;
}
type Policies = LabelPolicies<boolean>;

const EVERY = 10;
const WAIT = 15;
const DISORDER = 4;
const view = featureView({
  name: 'rows',
  version: 1,
  columns: { size: (row: Row) => row.size },
  features: { size: numeric('size', { scale: 10 }) },
});
const model = logisticRegression({ optimizer: sgd({ rate: 0.3 }) });
const vector = (row: Row) => view.open().vector(row);

const policies: readonly Policies[] = [
  { late: { within: millis(20), act: 'score' } },
  { late: { within: millis(20), act: 'learn' }, missing: { label: false } },
  { late: { within: millis(20), act: 'dead-letter' }, corrections: { within: millis(30), learn: false } },
  { missing: { label: true } },
  { late: { within: millis(30), act: 'learn' }, missing: { label: false, weighting: 'fake-negative' } },
  {
    late: { within: millis(30), act: 'learn' },
    missing: { label: true, weighting: 'fake-negative' },
    corrections: { within: millis(30), learn: true },
  },
  { corrections: { within: millis(25), learn: true } },
  {
    late: { within: millis(30), act: 'learn' },
    missing: { label: false },
    corrections: { within: millis(10), learn: true },
  },
];

const operatorOf = (own: Policies) =>
  learn(model, {
    as: 'late',
    view,
    key: (row: Row) => row.id,
    label: { key: (label: Label) => label.id, value: (label) => label.late, wait: millis(WAIT), ...own },
    pendingMax: 1_000,
    baselines: { rate: runningRate() },
    metricsInterval: millis(EVERY),
  });

type Step = { readonly input: 0 | 1; readonly value: Row | Label; readonly eventTimeMs: number };

const histories: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      isLabel: fc.boolean(),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      size: fc.integer({ min: -20, max: 20 }),
      late: fc.boolean(),
      step: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(30) }),
      back: fc.nat(DISORDER),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let now = 0;
    return steps.map(({ isLabel, id, size, late, step, back }): Step => {
      now += step;
      const eventTimeMs = Math.max(0, now - back);
      return isLabel ? { input: 1, value: { id, late }, eventTimeMs } : { input: 0, value: { id, size }, eventTimeMs };
    });
  });

const inputsOf = (history: readonly Step[]): DrivenInput[] =>
  history.map(({ input, value, eventTimeMs }) => ({
    input,
    value: input === 0 ? { ...value, features: vector(value as Row) } : value,
    eventTimeMs,
  }));

interface Told {
  readonly endMs: number;
  readonly coverage: number;
  readonly labelled: number;
  readonly assumed: number;
  readonly corrected: number;
  readonly loss: number | null;
}

interface Kept {
  readonly row: Row;
  readonly p: number;
  readonly timeMs: number;
  label: boolean | null;
  assumed: boolean;
  corrected: number;
  held: boolean;
}

/** What is predicted and told by the definition: time goes millisecond by millisecond. */
function naive(history: readonly Step[], { late, missing, corrections }: Policies) {
  const keptMs = Math.max(late?.within ?? 0, corrections?.within ?? 0);
  const plain = openLearner(model, view.shape);
  const all: Kept[] = [];
  const due = new Map<number, number>();
  const opened: number[] = [];
  const predicted: number[] = [];
  const told: Told[] = [];
  let dead = 0;
  let watermark = Number.NEGATIVE_INFINITY;
  let clock = Number.NEGATIVE_INFINITY;
  const windowOf = (timeMs: number) => Math.floor(timeMs / EVERY) * EVERY;
  const news = (kept: Kept, nowMs: number) => {
    const start = windowOf(kept.timeMs);
    if (!opened.includes(start)) opened.push(start);
    if (!due.has(start)) due.set(start, (Math.floor(nowMs / EVERY) + 1) * EVERY);
  };
  /** In the order of time; of one time in the order in which windows were opened. */
  const dueBy = (ms: number) =>
    [...due]
      .filter(([, atMs]) => atMs <= ms)
      .sort(([a, aMs], [b, bMs]) => aMs - bMs || opened.indexOf(a) - opened.indexOf(b));
  const tell = (start: number) => {
    due.delete(start);
    const own = all.filter(({ timeMs }) => windowOf(timeMs) === start);
    const labelled = own.filter(({ label }) => label !== null);
    const loss = labelled.reduce((sum, { p, label }) => sum + logLossOf(p, label as boolean), 0) / labelled.length;
    told.push({
      endMs: start + EVERY,
      coverage: labelled.length / own.length,
      labelled: labelled.length,
      assumed: own.filter(({ assumed }) => assumed).length,
      corrected: own.reduce((sum, { corrected }) => sum + corrected, 0),
      loss: labelled.length === 0 ? null : loss,
    });
  };
  const learnt = (kept: Kept, label: boolean, weight = 1) => plain.learnOne(vector(kept.row), label, weight);
  /** What the model gives to the label that is not assumed, if that is weighted. */
  const doubtOf = ({ row }: Kept): number => {
    const p = plain.predictOne(vector(row)) as number;
    return missing?.weighting === undefined ? 0 : missing.label ? 1 - p : p;
  };
  const tick = (now: number) => {
    // Of one time in the order of their keys.
    for (const kept of [...all].sort((a, b) => (a.row.id < b.row.id ? -1 : 1))) {
      if (now === kept.timeMs + WAIT + 1 && kept.held && kept.label === null && missing) {
        kept.label = missing.label;
        kept.assumed = true;
        news(kept, Math.max(now, clock));
        learnt(kept, missing.label, 1 - doubtOf(kept) ** 2);
      }
      if (now === kept.timeMs + WAIT + keptMs + 1) kept.held = false;
    }
    for (const [start] of dueBy(now)) tell(start);
    for (const start of [...due.keys()]) if (now === start + EVERY + WAIT + keptMs + 1) tell(start);
  };
  const judge = (kept: Kept, { late: label }: Label, timeMs: number, nowMs: number) => {
    const overdue = timeMs - kept.timeMs - WAIT;
    const isCorrection = kept.label !== null && !kept.assumed;
    if (isCorrection && !(corrections && overdue <= corrections.within)) return;
    const isLate = !isCorrection && overdue > 0;
    if (isLate && !(late && overdue <= late.within)) return;
    if (isLate && late?.act === 'dead-letter') {
      dead++;
      return;
    }
    if (isCorrection && kept.label === label) return;
    const isKnown = kept.assumed && kept.label === label;
    const weight = kept.assumed ? 1 + doubtOf(kept) : 1;
    if (isCorrection) kept.corrected++;
    kept.label = label;
    kept.assumed = false;
    if (keptMs === 0) kept.held = false;
    news(kept, nowMs);
    if (!isKnown && (isCorrection ? corrections?.learn : !isLate || late?.act === 'learn')) learnt(kept, label, weight);
  };
  for (const { input, value, eventTimeMs } of history) {
    const now = Math.max(eventTimeMs, watermark, clock);
    clock = Math.max(clock, eventTimeMs);
    for (const [start] of dueBy(clock)) tell(start);
    const held = all.find(({ row, held: is }) => is && row.id === value.id);
    if (input === 0) {
      const row = value as Row;
      const p = plain.predictOne(vector(row)) as number;
      predicted.push(p);
      if (held === undefined && eventTimeMs + WAIT >= watermark) {
        const kept = { row, p, timeMs: eventTimeMs, label: null, assumed: false, corrected: 0, held: true };
        all.push(kept);
        news(kept, now);
      }
    } else if (held) judge(held, value as Label, eventTimeMs, now);
    for (let ms = Math.max(watermark, -DISORDER - 1) + 1; ms <= eventTimeMs - DISORDER; ms++) tick(ms);
    watermark = Math.max(watermark, eventTimeMs - DISORDER);
  }
  for (let ms = Math.max(watermark, -DISORDER - 1) + 1; ms < 2_500; ms++) tick(ms);
  return { predicted, told, dead };
}

const drive = (own: Policies, history: readonly Step[], final = true) => {
  const driven = driveOperator(operatorOf(own), inputsOf(history), { disorderMs: DISORDER, final });
  expect(driven.failure).toBeUndefined();
  const predicted = driven.emitted.map(({ value }) => (value as { late: { probability: number } }).late.probability);
  const told: Record<string, unknown>[] = [];
  // A row of measures begins with its coverage.
  for (const { name, value, eventTimeMs, weight } of driven.measures) {
    if (name === 'coverage') told.push({ endMs: eventTimeMs, coverage: value, loss: null });
    const row = told.at(-1) as Record<string, unknown>;
    if (['labelled', 'assumed', 'corrected'].includes(name)) {
      row[name] = value;
      expect(weight).toBe('sum');
    }
    if (name === 'log_loss') {
      row.loss = value;
      expect(weight).toBe(row.labelled);
    }
  }
  return { ...driven, predicted, told: told as unknown as Told[] };
};

const near = (rows: readonly Told[]) =>
  rows.map((row) => ({ ...row, loss: row.loss === null ? null : expect.closeTo(row.loss, 9) }));

describe.each(policies.map((own) => [JSON.stringify(own), own] as const))('labels with %s', (_, own) => {
  it('predict, learn and measure what their definition says', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { predicted, told, deadLetters } = drive(own, history);
        const expected = naive(history, own);
        expect(predicted).toEqual(expected.predicted);
        expect(told).toEqual(near(expected.told));
        expect(deadLetters.map(({ reason }) => reason)).toEqual(Array(expected.dead).fill('late-label'));
      }),
      { numRuns: 150 },
    );
  });

  it('let nothing that comes later change a prediction or a row of measures', () => {
    const many = histories.filter(({ length }) => length > 0);
    fc.assert(
      fc.property(many, many, (history, other) => {
        // The last record is another one of the same time. It ends the same waits and rows, and counts in none of them.
        const before = history.slice(0, -1);
        const last = history.at(-1) as Step;
        const after = drive(own, history, false);
        const changed = drive(own, [...before, { ...(other.at(-1) as Step), eventTimeMs: last.eventTimeMs }], false);
        expect(changed.measures).toEqual(after.measures);
        const rows = before.filter(({ input }) => input === 0).length;
        expect(changed.predicted.slice(0, rows)).toEqual(after.predicted.slice(0, rows));
      }),
      { numRuns: 200 },
    );
  });

  it('keep the operator contract', () => {
    fc.assert(
      fc.property(histories, (history) =>
        checkOperator(operatorOf(own), inputsOf(history.slice(0, 25)), { disorderMs: DISORDER }),
      ),
      { numRuns: 10 },
    );
  });
});

describe('policies', () => {
  it('measure in the end what right labels would have, if 5 % were wrong and are corrected later', () => {
    // A model that learns nothing from its labels, so that both runs predict alike.
    const still = logisticRegression({ optimizer: sgd({ rate: 1e-300 }) });
    const step = learn(still, {
      as: 'late',
      view,
      key: (row: Row) => row.id,
      label: {
        key: (label: Label) => label.id,
        value: (label) => label.late,
        wait: millis(50),
        corrections: { within: millis(1_000), learn: false },
      },
      pendingMax: 10_000,
      metricsInterval: millis(100),
    });
    const rows = Array.from(
      { length: 2_000 },
      (_, i): Step => ({
        input: 0,
        value: { id: `k${i}`, size: i % 13 },
        eventTimeMs: 3 * i,
      }),
    );
    const isWrong = (i: number) => (i * 7_919) % 20 === 0;
    const truth = (i: number) => (i * 104_729) % 3 === 0;
    const labels = (flip: boolean) =>
      rows.map(
        ({ eventTimeMs }, i): Step => ({
          input: 1,
          value: { id: `k${i}`, late: truth(i) !== (flip && isWrong(i)) },
          eventTimeMs: eventTimeMs + 20,
        }),
      );
    const corrections = rows.flatMap(({ eventTimeMs }, i): Step[] =>
      isWrong(i) ? [{ input: 1, value: { id: `k${i}`, late: truth(i) }, eventTimeMs: eventTimeMs + 500 }] : [],
    );
    const lastOf = (steps: readonly Step[]) => {
      const sorted = inputsOf([...steps].sort((a, b) => a.eventTimeMs - b.eventTimeMs || a.input - b.input));
      const { measures, counters } = driveOperator(step, sorted, { final: true });
      const last = new Map<string, number>();
      for (const { name, value, eventTimeMs } of measures) last.set(`${eventTimeMs} ${name}`, value);
      return { last, counters };
    };
    const right = lastOf([...rows, ...labels(false)]);
    const corrected = lastOf([...rows, ...labels(true), ...corrections]);
    expect(corrected.counters.corrected).toBe(100);
    const names = [...right.last.keys()].filter((name) => !name.endsWith(' corrected'));
    expect(names.length).toBeGreaterThan(400);
    for (const name of names)
      expect(Math.abs((corrected.last.get(name) as number) - (right.last.get(name) as number)), name).toBeLessThan(
        1e-9,
      );
  });

  it('are named in `describe`, and what is wrong with them', () => {
    const [first] = policies;
    expect(operatorOf(first as Policies).settings).toMatchObject({ late: 'score within 20ms' });
    const wrong = operatorOf({ corrections: { within: millis(0), learn: true } });
    expect(wrong.problems?.map(({ message }) => message)).toEqual(['label.corrections.within is 0 ms']);
    const weighted = operatorOf({ missing: { label: false, weighting: 'fake-negative' } });
    expect(weighted.settings).toMatchObject({ missing: 'false, fake-negative weighting' });
    expect(weighted.problems?.map(({ message }) => message)).toEqual([
      'label.missing.weighting is fake-negative, and late labels are not learnt',
    ]);
  });
});

it('labels that are true or false are counted, of rows, of corrections and of those that are missing', () => {
  const history: Step[] = [
    ...['a', 'b', 'c'].map((id): Step => ({ input: 0, value: { id, size: 1 }, eventTimeMs: 0 })),
    { input: 1, value: { id: 'a', late: true }, eventTimeMs: 1 },
    { input: 1, value: { id: 'b', late: false }, eventTimeMs: 2 },
  ];
  const last = (name: string) =>
    drive({ missing: { label: true } }, history).measures.findLast((each) => each.name === name)?.value;
  expect(['labelled', 'positives', 'label_mean'].map(last)).toEqual([3, 2, undefined]);
});

it('labels that are numbers or classes are measured by what fits them', () => {
  const history: Step[] = [
    ...['a', 'b'].map((id): Step => ({ input: 0, value: { id, size: 1 }, eventTimeMs: 0 })),
    { input: 1, value: { id: 'a', late: true }, eventTimeMs: 1 },
    { input: 1, value: { id: 'b', late: false }, eventTimeMs: 2 },
  ];
  const common = {
    as: 'said',
    view,
    key: (row: Row) => row.id,
    pendingMax: 10,
    metricsInterval: millis(EVERY),
  } as const;
  const label = { key: ({ id }: Label) => id, wait: millis(WAIT), late: { within: millis(20), act: 'score' } } as const;
  const measured = (operator: Parameters<typeof driveOperator>[0]) => {
    const { measures } = driveOperator(operator, inputsOf(history), { disorderMs: DISORDER, final: true });
    return Object.fromEntries(measures.map(({ name, value }) => [name, value]));
  };
  const numbers = learn(linearRegression({ optimizer: sgd({ rate: 0.1 }) }), {
    ...common,
    label: { ...label, value: ({ late }) => (late ? 4 : 2) },
  });
  // Both were said to be 0.
  const { mae, rmse, label_mean } = measured(numbers);
  expect([mae, rmse, label_mean]).toEqual([3, expect.closeTo(Math.sqrt(10)), 3]);
  const classes = ['on time', 'late'] as const;
  const named = learn(softmaxRegression({ classes, optimizer: sgd({ rate: 0.1 }) }), {
    ...common,
    label: { ...label, value: ({ late }) => (late ? 'late' : 'on time') },
  });
  const { accuracy, macro_f1, log_loss, mae: none } = measured(named);
  expect([accuracy, macro_f1, log_loss, none]).toEqual([
    ...[0.5, expect.closeTo(1 / 3), expect.closeTo(Math.log(2)), undefined],
  ]);
});
