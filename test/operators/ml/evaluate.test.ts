import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accumulatorOf } from '../../../src/aggregates/accumulator.js';
import { max, quantile } from '../../../src/aggregates/index.js';
import { hours, millis } from '../../../src/core/index.js';
import type { StateChange } from '../../../src/core/state.js';
import { accuracy, logLoss, rocAuc } from '../../../src/ml/metrics/index.js';
import { shareInterval } from '../../../src/ml/metrics/intervals.js';
import { type EvaluationRow, evaluate } from '../../../src/operators/index.js';
import { DrivenStep } from '../../../src/testing/drive-operator.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { over } from '../../ml/metrics/support.js';

interface Prediction {
  readonly id: string;
  readonly p: number | null;
  readonly origin: string;
  readonly weight: number;
  readonly version: string;
}
interface Label {
  readonly id: string;
  readonly late: boolean | null;
}

const EVERY = 10;
const WAIT = 15;
const metrics = { right: accuracy(), loss: logLoss(), auc: rocAuc({ bins: 8 }) };
type Row = EvaluationRow<typeof metrics>;

/** How labels are treated: in the terms of the option, and in numbers. */
interface Policy {
  readonly correctable?: number;
  readonly missing?: boolean;
  /** Whether versions are told apart. */
  readonly versions?: true;
}
const policies: readonly Policy[] = [
  {},
  { correctable: 25, versions: true },
  { missing: false },
  { correctable: 40, missing: true },
];

const operatorOf = (
  { correctable, missing, versions }: Policy,
  more: { slicesMax?: number; pendingMax?: number } = {},
) =>
  evaluate({
    prediction: {
      key: (row: Prediction) => row.id,
      value: (row) => row.p,
      weight: (row) => row.weight,
      ...(versions && { version: (row: Prediction) => row.version }),
    },
    label: { key: (row: Label) => row.id, value: (row) => row.late },
    wait: millis(WAIT),
    ...(correctable !== undefined && { correctable: millis(correctable) }),
    ...(missing !== undefined && { missing: { label: missing } }),
    metrics,
    slices: { origin: (row) => row.origin },
    slicesMax: 2,
    versionsMax: 2,
    sums: true,
    measured: ['loss'],
    every: millis(EVERY),
    pendingMax: 1_000,
    ...more,
  });

type Step = { readonly input: 0 | 1; readonly value: Prediction | Label; readonly eventTimeMs: number };

const DISORDER = 4;
/** Predictions and labels of few keys, in roughly the order of their times; keys are used again. */
const histories: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      isLabel: fc.boolean(),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      p: fc.constantFrom(null, 0, 0.1, 0.3, 0.6, 0.8, 1),
      late: fc.constantFrom(true, false, true, false, null),
      origin: fc.constantFrom('x', 'y', 'z', 'w'),
      weight: fc.constantFrom(1, 1, 2, 0.3),
      version: fc.constantFrom('v1', 'v2', 'v3', 'v4'),
      step: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(30) }),
      back: fc.nat(DISORDER),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let now = 0;
    return steps.map(({ isLabel, id, p, late, origin, weight, version, step, back }): Step => {
      now += step;
      const eventTimeMs = Math.max(0, now - back);
      return isLabel
        ? { input: 1, value: { id, late }, eventTimeMs }
        : { input: 0, value: { id, p, origin, weight, version }, eventTimeMs };
    });
  });

const accumulator = accumulatorOf<never>(metrics as never);
/** What the metrics are computed from. */
function sumsOf(rows: readonly unknown[]): Row['sums'] {
  const numbers = Array<number>(accumulator.numbers).fill(0);
  accumulator.init(numbers, 0, [], 0);
  for (const row of rows) accumulator.add(numbers, 0, [], 0, row as never, 0);
  return accumulator.sums(numbers, 0, [], 0);
}

/** A prediction and all that is known of it. */
interface Kept {
  readonly row: Prediction;
  readonly timeMs: number;
  readonly version: string;
  readonly slices: readonly string[];
  label: boolean | null;
  assumed: boolean;
  delayMs: number | null;
  corrected: number;
  held: boolean;
}

/** The rows by the definition: time goes millisecond by millisecond, and each row is computed from all predictions of its window. */
function naive(history: readonly Step[], { correctable, missing, versions }: Policy): Row[] {
  const last = WAIT + (correctable ?? 0);
  const all: Kept[] = [];
  const due = new Map<string, number>();
  const rows: Row[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  let clock = Number.NEGATIVE_INFINITY;
  const windowOf = (timeMs: number) => Math.floor(timeMs / EVERY) * EVERY;
  const news = (kept: Kept, nowMs: number) => {
    for (const slice of kept.slices) {
      const id = `${windowOf(kept.timeMs)}/${kept.version}/${slice}`;
      if (!due.has(id)) due.set(id, (Math.floor(nowMs / EVERY) + 1) * EVERY);
    }
  };
  const tell = (id: string, atMs: number) => {
    const [start, version, slice, value] = id.split('/') as [string, string, string, string];
    const own = all.filter(
      (kept) =>
        windowOf(kept.timeMs) === Number(start) &&
        kept.version === version &&
        kept.slices.includes(`${slice}/${value}`),
    );
    const judged = own
      .filter(({ label }) => label !== null)
      .map(({ row, label, delayMs }) => ({ prediction: row.p, label, weight: row.weight, delayMs }));
    const delay = (q: number) =>
      over(
        quantile((one: { delayMs: number | null }) => one.delayMs, q),
        judged,
      );
    due.delete(id);
    rows.push({
      ...{ slice, value, version, startMs: Number(start), endMs: Number(start) + EVERY, atMs },
      ...{ task: 0, predicted: own.length, labelled: judged.length },
      assumed: own.filter(({ assumed }) => assumed).length,
      corrected: own.reduce((sum, { corrected }) => sum + corrected, 0),
      coverage: judged.length / own.length,
      delayP50Ms: delay(0.5),
      delayP95Ms: delay(0.95),
      right: over(metrics.right, judged),
      loss: over(metrics.loss, judged),
      auc: over(metrics.auc, judged),
      sums: sumsOf(judged),
    });
  };
  const tick = (now: number) => {
    for (const kept of all) {
      if (now === kept.timeMs + WAIT + 1 && kept.held && kept.label === null && missing !== undefined) {
        kept.label = missing;
        kept.assumed = true;
        news(kept, Math.max(now, clock));
      }
      if (now === kept.timeMs + last + 1) kept.held = false;
    }
    for (const [id, atMs] of [...due]) if (atMs === now) tell(id, now);
    for (const id of [...due.keys()]) if (now === Number(id.split('/')[0]) + EVERY + last + 1) tell(id, now);
  };
  for (const { input, value, eventTimeMs } of history) {
    const now = Math.max(eventTimeMs, watermark, clock);
    clock = Math.max(clock, eventTimeMs);
    for (const [id, atMs] of [...due].sort(([, a], [, b]) => a - b)) if (atMs <= clock) tell(id, atMs);
    const held = all.find(({ row, held: is }) => is && row.id === value.id);
    if (input === 0 && held === undefined && eventTimeMs + WAIT >= watermark) {
      const row = value as Prediction;
      const here = all.filter(({ timeMs }) => windowOf(timeMs) === windowOf(eventTimeMs));
      const knownVersions = new Set(here.map(({ version }) => version).filter((each) => each !== 'other'));
      const hasRoom = knownVersions.has(row.version) || knownVersions.size < 2;
      const version = !versions ? '' : hasRoom ? row.version : 'other';
      const known = new Set(
        here
          .filter((each) => each.version === version)
          .flatMap(({ slices }) => slices.filter((slice) => slice !== 'origin/other')),
      );
      const own = `origin/${row.origin}`;
      const slice = known.has(own) || known.size < 2 + (known.has('all/') ? 1 : 0) ? own : 'origin/other';
      const kept: Kept = {
        ...{ row, timeMs: eventTimeMs, version, slices: ['all/', slice], label: null },
        ...{ assumed: false, delayMs: null, corrected: 0, held: true },
      };
      all.push(kept);
      news(kept, now);
    }
    const { late } = value as Label;
    if (input === 1 && held && late !== null && eventTimeMs <= held.timeMs + last) {
      if (held.label === null || held.assumed || held.label !== late) {
        if (held.label !== null && !held.assumed) held.corrected += 1;
        else held.delayMs = Math.max(0, eventTimeMs - held.timeMs);
        held.label = late;
        held.assumed = false;
        if (correctable === undefined) held.held = false;
        news(held, now);
      }
    }
    for (let ms = Math.max(watermark, -DISORDER - 1) + 1; ms <= eventTimeMs - DISORDER; ms++) tick(ms);
    watermark = Math.max(watermark, eventTimeMs - DISORDER);
  }
  for (let ms = Math.max(watermark, -DISORDER - 1) + 1; ms < 2_500; ms++) tick(ms);
  return rows;
}

const inOrder = (rows: readonly Row[]): Row[] =>
  [...rows].sort(
    (a, b) =>
      a.atMs - b.atMs ||
      a.startMs - b.startMs ||
      `${a.version}/${a.slice}${a.value}`.localeCompare(`${b.version}/${b.slice}${b.value}`),
  );

function expectAlike(actual: readonly Row[], expected: readonly Row[]): void {
  expect(actual.length).toBe(expected.length);
  inOrder(expected).forEach((row, i) => {
    const { loss, right, sums, ...exact } = inOrder(actual)[i] as Row;
    const { loss: itsLoss, right: itsRight, sums: itsSums, ...its } = row;
    expect(Object.keys(sums)).toEqual(Object.keys(itsSums));
    for (const [name, own] of Object.entries(sums))
      expect(own).toEqual(itsSums[name]?.map((sum) => expect.closeTo(sum, 9)));
    expect(exact).toEqual({ ...its, auc: its.auc === null ? null : expect.closeTo(its.auc, 9) });
    for (const [a, b] of [
      [loss, itsLoss],
      [right, itsRight],
    ] as const)
      if (b === null) expect(a).toBeNull();
      else expect(a).toBeCloseTo(b, 9);
  });
}

const drive = (policy: Policy, history: readonly Step[], final = true) => {
  const driven = driveOperator(operatorOf(policy), history, { disorderMs: DISORDER, final });
  expect(driven.failure).toBeUndefined();
  return { ...driven, rows: driven.emitted.map(({ value }) => value as Row) };
};

describe('evaluate', () => {
  it.each(policies)('gives the rows of its definition, with %j', (policy) => {
    fc.assert(
      fc.property(histories, (history) => {
        const { rows, deadLetters, measures } = drive(policy, history);
        expectAlike(rows, naive(history, policy));
        const losses = rows.filter(({ loss }) => loss !== null);
        expect(measures).toEqual(
          losses.map(({ loss, slice, value, version, endMs, labelled: weight }) => ({
            ...{ name: 'loss', value: loss, eventTimeMs: endMs, version, weight },
            slice: slice === 'all' ? '' : `${slice}=${value}`,
          })),
        );
        expect(deadLetters.every(({ reason }) => reason === 'late')).toBe(true);
      }),
      { numRuns: 250 },
    );
  });

  it.each(policies)('lets nothing that comes later change a row, with %j', (policy) => {
    const many = histories.filter(({ length }) => length > 0);
    fc.assert(
      fc.property(many, many, fc.nat(), (history, other, at) => {
        // From a moment on the records are others, of the same times.
        const momentMs = (history[at % history.length] as Step).eventTimeMs;
        const changed = history.map(
          (step, i): Step =>
            step.eventTimeMs < momentMs
              ? step
              : { ...(other[i % other.length] as Step), eventTimeMs: step.eventTimeMs },
        );
        const upTo = (steps: readonly Step[]) => drive(policy, steps).rows.filter(({ atMs }) => atMs <= momentMs);
        expect(upTo(changed)).toEqual(upTo(history));
      }),
      { numRuns: 250 },
    );
  });

  it.each(policies)('keeps the operator contract, with %j', (policy) => {
    fc.assert(
      fc.property(histories, (history) =>
        checkOperator(operatorOf(policy), history.slice(0, 25) as DrivenInput[], { disorderMs: DISORDER }),
      ),
      { numRuns: 15 },
    );
  });

  it('gives the same at the end, whether labels were right or were wrong and are corrected', () => {
    fc.assert(
      fc.property(histories, fc.array(fc.boolean(), { maxLength: 60 }), (history, wrong) => {
        const labels = history.filter(({ input, value }) => input === 1 && (value as Label).late !== null);
        // Each key once, so that its label is one and the last.
        const ids = [...new Set(labels.map(({ value }) => value.id))];
        const rows = ids.flatMap((id, i): Step[] => {
          const found = history.find(({ input, value }) => input === 0 && value.id === id);
          return found ? [{ ...found, eventTimeMs: i }] : [];
        });
        const told = rows.map(({ value: { id } }, i): Step => {
          const truth = labels.find(({ value }) => value.id === id)?.value as Label;
          return { input: 1, value: { id, late: wrong[i] ? !truth.late : truth.late }, eventTimeMs: 12 };
        });
        const corrections = rows.flatMap(({ value: { id } }, i): Step[] =>
          wrong[i]
            ? [{ input: 1, value: labels.find(({ value }) => value.id === id)?.value as Label, eventTimeMs: 30 }]
            : [],
        );
        const right = told.map((step, i): Step => {
          const { id, late } = step.value as Label;
          return { ...step, value: { id, late: wrong[i] ? !late : late } };
        });
        const lastRows = (steps: readonly Step[]) => {
          const last = new Map<string, Row>();
          for (const row of drive({ correctable: 40 }, steps).rows)
            last.set(`${row.startMs}/${row.slice}/${row.value}`, row);
          return [...last.values()].map(({ atMs: _, corrected: __, ...row }) => ({ ...row, atMs: 0, corrected: 0 }));
        };
        expectAlike(lastRows([...rows, ...told, ...corrections]), lastRows([...rows, ...right]));
      }),
      { numRuns: 200 },
    );
  });

  it('counts what happens, and sends away what it cannot keep', () => {
    const p = (id: string, eventTimeMs: number): Step => ({
      input: 0,
      value: { id, p: 0.9, origin: 'x', weight: 1, version: 'v1' },
      eventTimeMs,
    });
    const l = (id: string, late: boolean | null, eventTimeMs: number): Step => ({
      input: 1,
      value: { id, late },
      eventTimeMs,
    });
    const steps = [
      p('a', 0),
      p('a', 1),
      l('a', null, 2),
      l('a', true, 3),
      l('a', true, 4),
      l('a', false, 5),
      l('z', true, 6),
      p('b', 7),
      p('', 8),
      p('c', 60),
      p('d', 30),
    ];
    const { counters, deadLetters } = driveOperator(operatorOf({ correctable: 25 }), steps);
    expect(counters).toEqual({
      ...{ predicted: 3, labelled: 1, corrected: 1, repeated: 1, unmatched: 1, unknown: 1, duplicates: 1, missing: 1 },
    });
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['empty-key', 'late']);
    const full = driveOperator(operatorOf({}, { pendingMax: 2 }), [p('a', 0), p('b', 0), p('c', 0)]);
    expect(full.deadLetters.map(({ reason }) => reason)).toEqual(['pending-full']);
    const ahead = Array.from({ length: 130 }, (_, i) => p(`k${i}`, 130_000 - 1_000 * i));
    const driven = driveOperator(operatorOf({}), ahead, { disorderMs: 1_000_000 });
    expect(driven.deadLetters.map(({ reason }) => reason)).toEqual(Array(130 - 104).fill('too-many-windows'));
  });

  it('takes values of a slice with the same text for one', () => {
    const values = [1, '1', true, 'true', 0, -0, null, 'null', Number.NaN, Number.NaN, '1', 1, 2, 2];
    const sliced = evaluate({
      prediction: { key: ({ id }: { id: number; of: unknown }) => id, value: () => true },
      label: { key: ({ id }: { id: number }) => id, value: () => true },
      wait: millis(50),
      metrics: { right: accuracy() },
      slices: { of: ({ of }) => of as string },
      slicesMax: 5,
      every: hours(1),
      pendingMax: 100,
    });
    const history = values.map((of, id) => ({ value: { id, of }, eventTimeMs: id }));
    checkOperator(sliced, history);
    const counts = driveOperator(sliced, history, { final: true }).emitted.map(({ value: row }) => {
      const { value, predicted } = row as EvaluationRow<object>;
      return [value, predicted];
    });
    expect(counts).toEqual([
      ['', 14],
      ['1', 4],
      ['true', 2],
      ['0', 2],
      ['null', 2],
      ['NaN', 2],
      ['other', 2],
    ]);
  });

  it('tells a value that is called other from those beyond the limit', () => {
    const named = evaluate({
      prediction: { key: ({ id }: { id: number; s: string }) => id, value: () => true },
      label: { key: ({ id }: { id: number }) => id, value: () => true },
      wait: millis(50),
      metrics: { right: accuracy() },
      slices: { s: ({ s }) => s },
      slicesMax: 2,
      every: millis(100),
      pendingMax: 100,
    });
    const history = ['other', 'a', 'b', 'c', 'other'].map((s, id) => ({ input: 0, value: { id, s }, eventTimeMs: id }));
    const rows = driveOperator(named, history, { final: true }).emitted.map(
      ({ value }) => value as EvaluationRow<object>,
    );
    expect(rows.map(({ value, predicted }) => [value, predicted])).toEqual([
      ['', 5],
      ["'other'", 2],
      ['a', 1],
      ['other', 2],
    ]);
  });

  it.each([3, 100, 60_000])('measures many slices, each by itself, with values up to %i', (slicesMax) => {
    const values = Array.from({ length: 40 }, (_, i) =>
      Array.from({ length: 9 }, (_, s) => (i * ((s % 4) + 1) + s) % 5),
    );
    const sliced = evaluate({
      prediction: { key: ({ id }: { id: number; of: readonly number[] }) => id, value: ({ id }) => id % 2 === 0 },
      label: { key: ({ id }: { id: number }) => id, value: ({ id }) => id % 3 === 0 },
      wait: millis(50),
      metrics: { right: accuracy() },
      slices: Object.fromEntries(
        Array.from({ length: 9 }, (_, s) => [`s${s}`, (row: { of: readonly number[] }) => row.of[s]]),
      ),
      slicesMax,
      measured: ['right'],
      every: hours(1),
      pendingMax: 100,
    });
    const history = values.flatMap((of, id) => [
      { input: 0, value: { id, of }, eventTimeMs: id },
      { input: 1, value: { id }, eventTimeMs: id + 20 },
    ]);
    history.sort((a, b) => a.eventTimeMs - b.eventTimeMs);
    if (slicesMax === 100) checkOperator(sliced, history.slice(30, 60));
    const { emitted, measures } = driveOperator(sliced, history, { final: true });
    const rows = emitted.map(({ value }) => value as EvaluationRow<{ right: ReturnType<typeof accuracy> }>);
    expect(measures.map(({ value, interval }) => [value, interval])).toEqual(
      rows.map(({ right, labelled }) => [right, shareInterval(Math.round((right ?? 0) * labelled), labelled)]),
    );
    const known = (s: number, id: number): string => {
      const first = [...new Set(values.map((of) => of[s]))].slice(0, slicesMax);
      return first.includes(values[id]?.[s]) ? String(values[id]?.[s]) : 'other';
    };
    const ids = values.map((_, id) => id);
    for (const { slice, value, predicted, right } of rows) {
      const own = slice === 'all' ? ids : ids.filter((id) => known(Number(slice.slice(1)), id) === value);
      expect(predicted).toBe(own.length);
      expect(right).toBeCloseTo(own.filter((id) => (id % 2 === 0) === (id % 3 === 0)).length / own.length, 12);
    }
    expect(rows).toHaveLength(1 + 9 * Math.min(5, slicesMax + 1));
  });

  it('gives the same rows wherever checkpoints lie', () => {
    const sliced = operatorOf({ correctable: 3_000, missing: true }, { slicesMax: 5 });
    const at = (i: number, eventTimeMs: number, late: boolean): Step => ({
      input: 1,
      value: { id: `k${i}`, late },
      eventTimeMs,
    });
    // 600 in a window, so that more wait to be counted than are held at once.
    const history = Array.from({ length: 2_000 }, (_, i): Step[] => [
      {
        input: 0,
        value: { id: `k${i}`, p: (i % 97) / 97, origin: `o${i % 7}`, weight: 1, version: 'v' },
        eventTimeMs: i / 60,
      },
      ...(i % 3 === 0 ? [at(i, i / 60 + 1, i % 2 === 0)] : []),
      ...(i % 6 === 0 ? [at(i, i / 60 + 4, i % 5 === 0)] : []),
    ]).flat();
    history.sort((a, b) => a.eventTimeMs - b.eventTimeMs);
    const expected = driveOperator(sliced, history, { final: true });
    expect(expected.failure).toBeUndefined();
    expect(expected.emitted.length).toBeGreaterThan(30);
    for (const every of [1, 255, 256, 257, 1_000]) {
      let step = new DrivenStep(sliced);
      const state = new Map<string, StateChange>();
      const emitted: unknown[] = [];
      history.forEach((input, i) => {
        step.push(input);
        if (i % every !== 0) return;
        for (const change of step.takeChanges()) {
          const place = `${change.cell}/${change.bucket}`;
          if (change.bytes === null) state.delete(place);
          else state.set(place, change);
        }
        if (i % (5 * every) !== 0) return;
        emitted.push(...step.emitted);
        step = new DrivenStep(sliced, i + 1, state.values(), { disorderMs: 0, watermarkMs: input.eventTimeMs });
      });
      step.end();
      emitted.push(...step.emitted);
      expect(emitted).toEqual(expected.emitted);
    }
  });

  it('names the label at which a metric of your own throws, whenever that is counted', async () => {
    const fragile = evaluate({
      prediction: { key: ({ id }: { id: number }) => id, value: ({ id }) => id },
      label: { key: ({ id }: { id: number }) => id, value: ({ id }) => id },
      wait: millis(50),
      metrics: {
        most: max((row: { label: number }) => {
          if (row.label === 3) throw new TypeError('three');
          return row.label;
        }),
      },
      every: hours(1),
      pendingMax: 100,
    });
    const history = [1, 2, 3, 4].flatMap((id) => [
      { input: 0, value: { id }, eventTimeMs: id },
      { input: 1, value: { id }, eventTimeMs: id },
    ]);
    const message = 'the step threw: three at side-1[0]@5';
    expect(driveOperator(fragile, history, { final: true }).failure).toBe(message);
    const step = new DrivenStep(fragile);
    for (const input of history) expect(step.push(input)).toBe(true);
    expect(() => step.takeChanges()).toThrow(expect.objectContaining({ code: 'step', message, where: 'evaluate' }));
  });

  it('forgets what has ended', () => {
    const history = Array.from({ length: 300 }, (_, i): Step[] => [
      { input: 0, value: { id: `k${i}`, p: 0.5, origin: `o${i % 9}`, weight: 1, version: 'v1' }, eventTimeMs: 8 * i },
      { input: 1, value: { id: `k${i}`, late: i % 3 === 0 }, eventTimeMs: 8 * i + 2 },
    ]).flat();
    checkOperator(operatorOf({ correctable: 25 }), history.slice(0, 60), { stateBytesMax: 12_000 });
  });

  it('names what is wrong with its options', () => {
    const wrong = evaluate({
      prediction: { key: (row: Prediction) => row.id, value: (row) => row.p },
      label: { key: (row: Label) => row.id, value: (row) => row.late },
      wait: hours(0),
      missing: { label: false },
      metrics: {
        coverage: accuracy(),
        auc: rocAuc({ bins: 0 }),
        most: max((row: { readonly weight?: number | null | undefined }) => row.weight),
      },
      slices: { all: (row) => row.origin },
      every: hours(1),
      slicesMax: 0.5,
      pendingMax: 0,
    });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'wait is 0',
      'pendingMax is 0',
      'slicesMax is 0.5',
      "a metric 'coverage'",
      "a slice 'all'",
      'auc: the number of bins is 0',
      'most: max cannot retract',
    ]);
  });
});
