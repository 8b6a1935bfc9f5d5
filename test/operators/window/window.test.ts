import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count, max } from '../../../src/aggregates/index.js';
import { type Change, millis, type Shape } from '../../../src/core/index.js';
import { type EmitStrategy, onClose, onInterval, onUpdate } from '../../../src/operators/window/emit-strategy.js';
import { counting, hopping, session, sliding, tumbling, type WindowSpec } from '../../../src/operators/window/spec.js';
import { window, windowOfChanges } from '../../../src/operators/window/window.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import {
  aggregates,
  follow,
  naiveCounting,
  naiveSessions,
  naiveSliced,
  naiveSliding,
  type Reading,
  type Row,
  reversible,
  rowOf,
  type Sample,
  type Setting,
  settings,
  sorted,
  streams,
  watermarks,
  windowsOf,
} from './window-model.js';

const windows = (
  spec: WindowSpec,
  { latenessMs }: Pick<Setting, 'latenessMs'>,
  emit?: EmitStrategy<'row' | 'change'>,
) =>
  window({
    key: (value: Reading) => value.key,
    window: spec,
    aggregate: aggregates,
    ...(emit && { emit }),
    allowedLateness: millis(latenessMs),
    keysMax: 100,
  });

const valuesOf = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ value }) => value);

const sliced = fc.constantFrom(
  tumbling(millis(10)),
  tumbling(millis(7), { offset: millis(3) }),
  hopping({ size: millis(20), every: millis(5) }),
  hopping({ size: millis(10), every: millis(4) }),
  hopping({ size: millis(15), every: millis(10), offset: millis(-3) }),
  hopping({ size: millis(8), every: millis(1) }),
);
const emissions = fc.constantFrom<EmitStrategy<'change'>>(
  onUpdate(),
  onInterval({ every: millis(4) }),
  onInterval({ every: millis(100) }),
);

/** Compares rows with the model's, their event times with their windows, and their order with time. */
function expectRows(
  samples: readonly Sample[],
  spec: WindowSpec,
  setting: Setting,
  rows: unknown[],
  late: number,
): ReturnType<typeof driveOperator> {
  const run = driveOperator(windows(spec, setting), samples, { disorderMs: setting.disorderMs, final: true });
  expect(run.failure).toBeUndefined();
  expect(sorted(valuesOf(run))).toEqual(sorted(rows));
  const times = run.emitted.map(({ origin }) => origin.eventTimeMs);
  expect(times).toEqual(valuesOf(run).map((row) => (row as { endMs: number }).endMs - 1));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(run.counters.late ?? 0).toBe(late);
  expect(run.deadLetters.map(({ reason }) => reason)).toEqual(new Array(late).fill('late'));
  return run;
}

describe('window', () => {
  it('of one length agrees with a loop over the log, for any disorder, lateness and overlap', () => {
    fc.assert(
      fc.property(streams(80), sliced, settings, (samples, spec, setting) => {
        const { rows, late, partlyLate } = naiveSliced(samples, spec, setting);
        const run = expectRows(samples, spec, setting, rows, late);
        expect(run.counters.partly_late ?? 0).toBe(partlyLate);
      }),
      { numRuns: 200 },
    );
  });

  it('is over the sorted log where no record is further behind than the disorder', () => {
    fc.assert(
      fc.property(streams(60), sliced, fc.nat(20), (samples, spec, disorderMs) => {
        const shaken = samples
          .map((sample, i) => ({ sample, at: sample.eventTimeMs + ((i * 7) % (disorderMs + 1)) }))
          .sort((a, b) => a.at - b.at)
          .map(({ sample }) => sample);
        const inOrder = [...samples].sort((a, b) => a.eventTimeMs - b.eventTimeMs);
        const run = driveOperator(windows(spec, { latenessMs: 0 }), shaken, { disorderMs, final: true });
        const { rows } = naiveSliced(inOrder, spec, { disorderMs: 0, latenessMs: 0 });
        const plain = (list: readonly unknown[]) =>
          sorted(list).map((row) => {
            const { key, startMs, n, total } = row as Record<string, unknown>; // ties in time fall as they arrive
            return { key, startMs, n, total };
          });
        expect(plain(valuesOf(run))).toEqual(plain(rows));
        expect(run.counters.late ?? 0).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('by session agrees with a loop over the log', () => {
    fc.assert(
      fc.property(streams(60), fc.constantFrom(1, 5, 12), settings, (samples, gap, setting) => {
        const { rows, late } = naiveSessions(samples, gap, setting);
        expectRows(samples, session({ gap: millis(gap) }), setting, rows, late);
      }),
      { numRuns: 150 },
    );
  });

  it('by session takes no late record that reaches a closed session', () => {
    const samples = [1, 20, 13, 7, 1, 12].map((timeMs, i) => at('a', 2 ** i, timeMs));
    const run = driveOperator(windows(session({ gap: millis(8) }), { latenessMs: 0 }), samples, { final: true });
    const spans = valuesOf(run).map((row) => [(row as Row).startMs, (row as Row).endMs, (row as Row).total]);
    expect(spans).toEqual([
      [1, 9, 1],
      [12, 28, 2 + 4 + 32],
    ]);
    expect(run.deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([
      ['late', 3],
      ['late', 4],
    ]);
  });

  it.each([
    ['an open session beside it', [1, 12, 18, 24, 30, 36, 8], [6]],
    ['late records one after another, long after', [46, 'others', 80, 74, 67, 60, 53], [5, 6]],
  ])('by session reaches no closed session over %s', (_, times, late) => {
    const samples = times.map((timeMs) => (timeMs === 'others' ? at('b', 1, 70) : at('a', 1, timeMs as number)));
    const run = driveOperator(windows(session({ gap: millis(8) }), { latenessMs: 0 }), samples, { final: true });
    const rows = valuesOf(run).filter((row) => (row as Row).key === 'a');
    const spans = rows.map((row) => [(row as Row).startMs, (row as Row).endMs] as const);
    spans.forEach(([startMs], i) => {
      expect(startMs as number).toBeGreaterThanOrEqual((spans[i - 1]?.[1] ?? 0) as number);
    });
    expect(run.deadLetters.map(({ origin }) => origin.offset)).toEqual(late);
  });

  it('behind each record agrees with a loop over the log', () => {
    fc.assert(
      fc.property(streams(60), fc.constantFrom(1, 6, 15), settings, (samples, size, setting) => {
        const { rows, late } = naiveSliding(samples, size, setting);
        expectRows(samples, sliding(millis(size)), setting, rows, late);
      }),
      { numRuns: 150 },
    );
  });

  it('of so many records agrees with a loop over the log', () => {
    fc.assert(
      fc.property(streams(60), fc.integer({ min: 1, max: 5 }), (samples, records) => {
        const run = driveOperator(windows(counting(records), { latenessMs: 0 }), samples, { final: true });
        expect(valuesOf(run)).toEqual(naiveCounting(samples, records));
      }),
      { numRuns: 100 },
    );
  });

  it('as changes ends where rows would, each change from what was said before', () => {
    fc.assert(
      fc.property(streams(60), sliced, settings, emissions, (samples, spec, setting, emit) => {
        const run = driveOperator(windows(spec, setting, emit), samples, {
          disorderMs: setting.disorderMs,
          final: true,
        });
        const { rows, broken } = follow(valuesOf(run) as Change<{ key: unknown }>[]);
        expect(broken).toEqual([]);
        const naive = naiveSliced(samples, spec, setting);
        expect(sorted(rows)).toEqual(sorted(naive.rows));
        expect(run.counters.late ?? 0).toBe(naive.late);
        expect(run.counters.partly_late ?? 0).toBe(naive.partlyLate);
      }),
      { numRuns: 150 },
    );
  });

  it('tells early what has changed, every so often, and what is late at once', () => {
    const samples = [
      at('a', 1, 1),
      at('a', 2, 3),
      at('b', 4, 5),
      at('a', 8, 12),
      at('a', 16, 31),
      at('b', 32, 39),
      at('a', 64, 52),
      at('a', 128, 44),
      at('a', 0, 66),
    ];
    const run = driveOperator(
      windows(tumbling(millis(50)), { latenessMs: 10 }, onInterval({ every: millis(10) })),
      samples,
    );
    const told = run.emitted.map(({ value, origin }) => {
      const { key, before, after } = value as Change<{ total: number }>;
      return [origin.offset, key, before?.total ?? null, after?.total ?? null];
    });
    expect(told).toEqual([
      [3, 'a@0', null, 11], // the watermark passes 10: what came since is told, the record at 12 included
      [3, 'b@0', null, 4],
      [4, 'a@0', 11, 27], // and 20 at 31
      [6, 'b@0', 4, 36],
      [7, 'a@0', 27, 155], // late, but not too late: at once
      [8, 'a@50', null, 64], // 60, told at 66
    ]);
    expect(run.deadLetters).toEqual([]);
  });

  it('as changes of sessions takes back what became part of another', () => {
    fc.assert(
      fc.property(streams(60), fc.constantFrom(1, 5, 12), settings, emissions, (samples, gap, setting, emit) => {
        const run = driveOperator(windows(session({ gap: millis(gap) }), setting, emit), samples, {
          disorderMs: setting.disorderMs,
          final: true,
        });
        const { rows, broken } = follow(valuesOf(run) as Change<{ key: unknown }>[]);
        expect(broken).toEqual([]);
        const naive = naiveSessions(samples, gap, setting);
        expect(sorted(rows)).toEqual(sorted(naive.rows));
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the operator contract, whatever the windows and what they emit', () => {
    const specs = fc.oneof(
      sliced,
      fc.constantFrom<WindowSpec>(session({ gap: millis(5) }), sliding(millis(8)), counting(3)),
    );
    fc.assert(
      fc.property(
        streams(22),
        specs,
        settings,
        fc.oneof(emissions, fc.constant(onClose())),
        (samples, spec, setting, emit) => {
          const rowsOnly = spec.kind === 'sliding' || spec.kind === 'counting';
          const latenessMs = spec.kind === 'counting' ? 0 : setting.latenessMs;
          checkOperator(windows(spec, { latenessMs }, rowsOnly ? onClose() : emit), samples, {
            disorderMs: setting.disorderMs,
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps no state of windows that are over', () => {
    const samples: Sample[] = Array.from({ length: 16 }, (_, i) => ({
      value: { key: `k${i % 4}`, x: i },
      eventTimeMs: i,
    }));
    for (const spec of [
      tumbling(millis(4)),
      hopping({ size: millis(8), every: millis(2) }),
      session({ gap: millis(4) }),
      sliding(millis(4)),
    ])
      for (const emit of spec.kind === 'sliding'
        ? [onClose()]
        : [onClose(), onUpdate(), onInterval({ every: millis(5) })])
        checkOperator(windows(spec, { latenessMs: 4 }, emit), samples, { stateBytesMax: 9_000 });
  });

  it('answers what the windows of a key hold', () => {
    const samples = [at('a', 1, 3), at('a', 2, 11), at(7, 4, 12), at('b', 8, 13)];
    const ask = (key: string, spec: WindowSpec, emit?: EmitStrategy<'row' | 'change'>) =>
      asked(windows(spec, { latenessMs: 0 }, emit), samples, key);
    expect(ask('a', tumbling(millis(10)))).toEqual([
      rowOf('a', 0, 10, samples.slice(0, 1)),
      rowOf('a', 10, 20, [at('a', 2, 11)]),
    ]);
    expect(ask('7', tumbling(millis(10)), onUpdate())).toEqual([rowOf(7, 10, 20, [at(7, 4, 12)])]);
    expect(ask('a', session({ gap: millis(20) }))).toEqual([rowOf('a', 3, 31, samples.slice(0, 2))]);
    expect(ask('b', sliding(millis(5)))).toEqual([rowOf('b', 9, 14, [at('b', 8, 13)])]);
    expect(ask('a', counting(3))).toEqual([rowOf('a', 3, 12, samples.slice(0, 2))]);
    expect(ask('nobody', counting(3))).toBeUndefined();
  });

  it('refuses keys beyond its bound and empty ones, and says so; the results of others stay right', () => {
    for (const spec of [tumbling(millis(10)), session({ gap: millis(5) }), sliding(millis(5)), counting(2)]) {
      const bounded = window({
        key: (value: { key: string | null }) => value.key,
        window: spec,
        aggregate: { n: count() },
        keysMax: 2,
      });
      const keys = ['a', 'b', 'c', 'a', null, '', 'b'];
      const run = driveOperator(
        bounded,
        keys.map((key) => ({ value: { key }, eventTimeMs: 1 })),
        { final: true },
      );
      expect(run.deadLetters.map(({ reason }) => reason)).toEqual(['too-many-keys', 'empty-key', 'empty-key']);
      expect(run.counters.refused).toBe(1);
      expect(valuesOf(run).map((row) => (row as { n: number }).n)).toEqual([2, 2]);
    }
  });

  it('keeps no more windows open than it may, and goes on, however absurd the times', () => {
    const day = 86_400_000;
    for (const [spec, many] of [
      [tumbling(millis(10)), 10_002],
      [session({ gap: millis(10) }), 1_000],
    ] as const) {
      const step = opened(windows(spec, { latenessMs: 0 }));
      step.logic.onWatermark?.(0, step.emit);
      // A task does not believe such times: its watermark stays where it is.
      for (let i = 0; i < many + 4; i++) step.record(at('a', 1, (100 + i) * day));
      expect(step.letters).toEqual(new Array(4).fill('too-many-windows'));
      step.record(at('a', 2, 5));
      step.logic.onWatermark?.(20, step.emit);
      expect(step.emitted).toMatchObject([{ key: 'a', n: 1, total: 2 }]);
    }
  });

  it('only counts what is late where it is told to', () => {
    const counted = window({
      key: (value: Reading) => value.key,
      window: tumbling(millis(10)),
      aggregate: { n: count() },
      late: 'count',
      keysMax: 5,
    });
    const run = driveOperator(counted, [at('a', 1, 25), at('a', 1, 9)], { final: true });
    expect(run.deadLetters).toEqual([]);
    expect(run.counters.late).toBe(1);
  });

  it('says what cannot be', () => {
    const problems = (options: object) =>
      window({
        key: (v: Reading) => v.key,
        window: tumbling(millis(5)),
        aggregate: { n: count() },
        keysMax: 1,
        ...options,
      }).problems?.map(({ message }) => message);
    expect(problems({})).toEqual([]);
    expect(problems({ keysMax: 0 })).toEqual(['keysMax is 0']);
    expect(problems({ aggregate: { '': count() } })).toEqual(['an aggregate has no name']);
    expect(problems({ window: tumbling(millis(0)) })).toEqual(['windows of 0 ms every 0 ms from 0 ms']);
    expect(problems({ window: tumbling(millis(Number.NaN)) })).toHaveLength(1);
    expect(problems({ window: hopping({ size: millis(5), every: millis(6) }) })).toEqual([
      'windows of 5 ms every 6 ms leave records out',
    ]);
    expect(problems({ window: session({ gap: millis(-1) }) })).toEqual(['sessions with a gap of -1 ms']);
    expect(problems({ window: sliding(millis(0.5)) })).toEqual(['sliding windows of 0.5 ms']);
    expect(problems({ window: counting(0) })).toEqual(['windows of 0 records']);
    const ofLength = (length: number): WindowSpec[] => [
      tumbling(millis(length)),
      hopping({ size: millis(5), every: millis(length) }),
      session({ gap: millis(length) }),
      sliding(millis(length)),
      counting(length),
    ];
    expect(ofLength(1).flatMap((shortest) => problems({ window: shortest }))).toEqual([]);
    expect(ofLength(0).flatMap((none) => problems({ window: none }))).toHaveLength(5);
    expect(problems({ window: hopping({ size: millis(5), every: millis(5) }) })).toEqual([]);
    expect(problems({ emit: onInterval({ every: millis(1) }) })).toEqual([]);
    expect(problems({ window: counting(1), allowedLateness: millis(0) })).toEqual([]);
    expect(problems({ window: counting(2), allowedLateness: millis(1) })).toEqual([
      'windows that count records know no lateness',
    ]);
    expect(problems({ window: sliding(millis(5)), emit: onUpdate() })).toEqual(['sliding windows emit on close only']);
    expect(problems({ emit: onInterval({ every: millis(0) }) })).toEqual(['early every 0 ms']);
    expect(problems({ allowedLateness: millis(-1) })).toEqual(['allowedLateness is -1 ms']);
    expect(problems({ aggregate: {} })).toEqual(['no aggregate']);
    expect(problems({ aggregate: { startMs: count(), 7: count() } })).toEqual([
      'an aggregate cannot be called 7',
      'an aggregate cannot be called startMs',
    ]);
  });

  it('reads well in a description', () => {
    const { settings } = windows(
      hopping({ size: millis(60_000), every: millis(5_000) }),
      { latenessMs: 10 },
      onUpdate(),
    );
    expect(settings).toEqual({
      window: 'hopping 1m every 5s',
      aggregate: 'n: count, total: sum, opening: first, closing: last, all: up to 4 values',
      emit: 'on update',
      allowedLateness: '10ms',
      late: 'dead-letter',
      keysMax: 100,
    });
  });
});

describe('windowOfChanges', () => {
  interface Held extends Reading {
    readonly t: number;
  }
  const ofChanges = (
    spec: WindowSpec,
    { latenessMs }: Pick<Setting, 'latenessMs'>,
    emit?: EmitStrategy<'row' | 'change'>,
  ) =>
    windowOfChanges({
      key: (value: Held) => value.key,
      eventTime: (value) => value.t,
      window: spec,
      aggregate: reversible,
      ...(emit && { emit }),
      allowedLateness: millis(latenessMs),
      keysMax: 100,
    });

  /** Corrections of a few things: new, revised and retracted, each from what was said of it last. */
  const corrections = streams(50).map((samples) => {
    const now = new Map<number, Held>();
    return samples.map(({ value, eventTimeMs }, i) => {
      const thing = (i * 5 + value.x * value.x) % 7;
      const before = now.get(thing) ?? null;
      const after = value.x % 3 === 0 && before ? null : { ...value, t: eventTimeMs };
      if (after) now.set(thing, after);
      else now.delete(thing);
      return { value: { key: `${thing}`, before, after } as Change<Held>, eventTimeMs };
    });
  });

  function naive(
    samples: { value: Change<Held>; eventTimeMs: number }[],
    size: number,
    every: number,
    offset: number,
    setting: Setting,
  ) {
    const marks = watermarks(samples, setting.disorderMs);
    const held = new Map<string, { key: string | number; start: number; n: number; total: number }>();
    let late = 0;
    samples.forEach(({ value }, i) => {
      for (const [half, sign] of [
        [value.before, -1],
        [value.after, 1],
      ] as const) {
        if (!half) continue;
        const open = windowsOf(half.t, size, every, offset).filter(
          (start) => start + size + setting.latenessMs > (marks[i] as number),
        );
        if (open.length === 0) late++;
        for (const start of open) {
          const id = `${typeof half.key}/${half.key}/${start}`;
          const so = held.get(id) ?? { key: half.key, start, n: 0, total: 0 };
          held.set(id, { ...so, n: so.n + sign, total: so.total + sign * half.x });
        }
      }
    });
    const rows = [...held.values()]
      .filter(({ n }) => n !== 0)
      .map(({ key, start, n, total }) => ({ key, startMs: start, endMs: start + size, n, total }));
    return { rows, late };
  }

  it('takes back what is corrected: rows and changes agree with a loop over the log', () => {
    fc.assert(
      fc.property(corrections, sliced, settings, fc.option(emissions), (samples, spec, setting, emit) => {
        // Windows that overlap and are final cannot take back what some of them have said already.
        fc.pre(emit !== null || spec.kind === 'tumbling' || setting.disorderMs + setting.latenessMs > 30);
        const run = driveOperator(ofChanges(spec, setting, emit ?? undefined), samples, {
          disorderMs: setting.disorderMs,
          final: true,
        });
        const expected = naive(samples, spec.size, spec.every, spec.offset, setting);
        const { rows, broken } = emit
          ? follow(valuesOf(run) as Change<{ key: unknown }>[])
          : { rows: valuesOf(run), broken: [] };
        expect(broken).toEqual([]);
        expect(run.counters.late ?? 0).toBe(expected.late);
        expect(sorted(rows)).toEqual(sorted(expected.rows));
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the operator contract', () => {
    fc.assert(
      fc.property(corrections, sliced, settings, fc.option(emissions), (samples, spec, setting, emit) =>
        checkOperator(ofChanges(spec, setting, emit ?? undefined), samples.slice(0, 16), {
          disorderMs: setting.disorderMs,
        }),
      ),
      { numRuns: 30 },
    );
  });

  it('counts what no window held, and refuses times that are none', () => {
    const before = { key: 'a', x: 1, t: 5 };
    const run = driveOperator(ofChanges(tumbling(millis(10)), { latenessMs: 0 }), [
      { value: { key: 'x', before, after: { ...before, t: Number.NaN } }, eventTimeMs: 1 },
    ]);
    expect(run.counters.unmatched).toBe(1);
    expect(run.deadLetters.map(({ reason }) => reason)).toEqual(['no-time']);
  });

  it('ends, whatever event times it is given: where numbers are coarser than a window they are refused', () => {
    for (const spec of [tumbling(millis(10)), hopping({ size: millis(10), every: millis(5) }), tumbling(millis(0.001))])
      for (const emit of [onClose(), onUpdate()])
        for (const eventTimeMs of [1e17, 1.7e18, -1e17, 1e300, 8.6e15]) {
          const run = driveOperator(
            window({
              key: () => 'a',
              window: spec,
              emit: emit as EmitStrategy<'row'>,
              aggregate: { n: count() },
              keysMax: 9,
            }),
            [5, eventTimeMs, eventTimeMs, 8].map((time) => ({ value: {}, eventTimeMs: time })),
            { final: true },
          );
          expect(run.failure).toBeUndefined();
          if (Math.abs(eventTimeMs) > 8.64e15)
            expect(run.deadLetters.filter(({ reason }) => reason === 'no-time')).toHaveLength(2);
        }
  });

  it('takes back no value from a window that holds none, whose sums then begin anew', () => {
    const held = (x: number) => ({ key: 'a', x, t: 5 });
    const changes: [number | null, number | null][] = [
      [null, 1e300],
      [1e300, null],
      [7, null], // never held: the key is known, the window is empty
      [null, 3],
      [null, Number.POSITIVE_INFINITY],
      [Number.POSITIVE_INFINITY, null],
      [3, null],
      [3, null],
      [null, 2],
    ];
    for (const emit of [undefined, onUpdate(), onInterval({ every: millis(2) })]) {
      const samples = changes.map(([before, after]) => ({
        value: { key: 'x', before: before === null ? null : held(before), after: after === null ? null : held(after) },
        eventTimeMs: 5,
      }));
      const run = driveOperator(ofChanges(tumbling(millis(10)), { latenessMs: 0 }, emit), samples, { final: true });
      const rows = valuesOf(run).map((value) => (emit ? (value as Change<Row>).after : (value as Row)));
      expect(rows.every((row) => row === null || (row.n as number) > 0)).toBe(true);
      expect(rows.at(-1)).toMatchObject({ n: 1, total: 2 });
      expect(run.counters.unmatched).toBe(2);
    }
  });

  it('says which windows and aggregates cannot take values back', () => {
    const wrong = windowOfChanges({
      key: (value: Held) => value.key,
      eventTime: (value) => value.t,
      window: session({ gap: millis(5) }),
      aggregate: { n: count(), most: max((value: Held) => value.x) },
      keysMax: 5,
    });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'session windows cannot take corrections',
      'most: max cannot retract',
    ]);
  });
});

function at(key: string | number, x: number, eventTimeMs: number): Sample {
  return { value: { key, x }, eventTimeMs };
}

/** An operator in the hand, its watermark moved by whoever holds it. */
function opened({ shape }: { readonly shape: Shape }) {
  if (shape.shape !== 'stateful') throw new TypeError(shape.shape);
  const cells = Object.fromEntries(Object.entries(shape.cells).map(([name, spec]) => [name, spec.open()]));
  const letters: string[] = [];
  const emitted: unknown[] = [];
  const deadLetter = (reason: string) => letters.push(reason);
  const logic = shape.open(cells, { watermarkMs: -1e9, counter: () => ({ add: () => {} }), deadLetter } as never);
  const emit = (value: unknown) => void emitted.push(value);
  const record = ({ value, eventTimeMs }: Sample) => logic.onRecord(0, value, emit, { eventTimeMs } as never);
  return { logic, letters, emitted, emit, record };
}

/** What an operator answers about a key after samples that moved no watermark. */
function asked(operator: { readonly shape: Shape }, samples: readonly Sample[], key: string): unknown {
  const { logic, record } = opened(operator);
  for (const sample of samples) record(sample);
  return logic.query?.(key);
}
