import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adwin, ddm, eddm, hddmA, hddmW, kswin, pageHinkley } from '../../../src/ml/drift/index.js';
import { type DriftEvent, detectDrift } from '../../../src/operators/index.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { stream } from '../../ml/drift/support.js';
import { generator } from '../../random.js';

interface Row {
  readonly key: string | null;
  readonly x: number | boolean | null | undefined;
}

const detectors = {
  adwin: adwin({ delta: 0.99 }),
  pageHinkley: pageHinkley({ threshold: 3, warmUp: 5 }),
  ddm: ddm({ warmUp: 5, driftAt: 1.5, warningAt: 1 }),
  eddm: eddm({ warmUp: 2 }),
  hddmA: hddmA({ driftAt: 0.2, warningAt: 0.5, direction: 'both' }),
  hddmW: hddmW({ driftAt: 0.2, warningAt: 0.5 }),
  kswin: kswin({ window: 12, recent: 5, driftAt: 0.1 }),
} as const;
type Name = keyof typeof detectors;
const names = Object.keys(detectors) as Name[];

const operatorOf = (name: Name, keysMax = 3) =>
  detectDrift({ of: (row: Row) => row.x, detector: detectors[name], key: (row) => row.key, keysMax });

const inputsOf = (rows: readonly Row[]): DrivenInput[] => rows.map((value, i) => ({ value, eventTimeMs: 1_000 * i }));

/** Rows of three keys, whose errors change their rate now and then; some without a number. */
const histories = fc
  .record({ seed: fc.nat(), rows: fc.integer({ min: 1, max: 500 }), change: fc.integer({ min: 10, max: 60 }) })
  .map(({ seed, rows, change }) => {
    const next = generator(seed);
    return Array.from({ length: rows }, (_, i): Row => {
      const rate = Math.floor(i / change) % 2 === 0 ? 0.1 : 0.8;
      const key = ['a', 'b', 'c'][Math.floor(3 * next())] as string;
      const x = next() < rate;
      return { key, x: next() < 0.05 ? null : x };
    });
  });

/** The events by the definition: a detector a key, cleared after each drift. */
function naive(name: Name, rows: readonly Row[]): DriftEvent<string>[] {
  const events: DriftEvent<string>[] = [];
  const of = new Map<string, { state: Float64Array; numbers: number; warned: boolean }>();
  rows.forEach(({ key, x }, i) => {
    if (x === null || key === null) return;
    const held = of.get(key) ?? { state: new Float64Array(detectors[name].size), numbers: 0, warned: false };
    of.set(key, held);
    held.numbers += 1;
    const seen = detectors[name].add(held.state, 0, Number(x));
    if (seen && !(seen.level === 'warning' && held.warned))
      events.push({ key, detector: detectors[name].kind, ...seen, numbers: held.numbers, atMs: 1_000 * i });
    held.warned = seen?.level === 'warning';
    if (seen?.level === 'drift') held.numbers = 0;
  });
  return events;
}

describe('detectDrift', () => {
  it.each(names)('finds by %s what a detector a key finds', (name) => {
    let found = 0;
    fc.assert(
      fc.property(histories, (rows) => {
        const { emitted, failure, counters } = driveOperator(operatorOf(name), inputsOf(rows));
        expect(failure).toBeUndefined();
        const events = naive(name, rows);
        expect(emitted.map(({ value }) => value)).toEqual(events);
        expect(counters.drifts ?? 0).toBe(events.filter(({ level }) => level === 'drift').length);
        expect((counters.watched ?? 0) + (counters.unknown ?? 0)).toBe(rows.length);
        found += events.length;
      }),
      { numRuns: 60 },
    );
    expect(found).toBeGreaterThan(5);
  });

  it.each(names)('keeps the operator contract with %s', (name) => {
    fc.assert(
      fc.property(histories, (rows) => checkOperator(operatorOf(name), inputsOf(rows).slice(0, 40))),
      { numRuns: 5 },
    );
  });

  it('watches all records as one sequence without a key', () => {
    const operator = detectDrift({ of: (x: number) => x, detector: adwin() });
    const inputs = stream('jumps').map((value, i) => ({ value, eventTimeMs: i }));
    const { emitted } = driveOperator(operator, inputs);
    const events = emitted.map(({ value }) => value as DriftEvent);
    expect(events.map(({ atMs }) => atMs)).toEqual([1023, 2015, 3007]);
    expect(events.map(({ numbers }) => numbers)).toEqual([1024, 992, 992]);
    expect(events[0]).toMatchObject({ key: null, detector: 'adwin', level: 'drift' });
  });

  it('forgets the least recently used key, and says so', () => {
    const rows = Array.from({ length: 400 }, (_, i): Row => ({ key: `k${i}`, x: i % 3 === 0 }));
    const { counters } = driveOperator(operatorOf('ddm', 3), inputsOf(rows));
    expect(counters).toMatchObject({ watched: 400, evicted: 397 });
    checkOperator(operatorOf('ddm', 3), inputsOf(rows.slice(0, 60)), { stateBytesMax: 500 });
  });

  it('sends what it cannot take to the dead letters', () => {
    const rows: Row[] = [
      { key: null, x: 1 },
      { key: 'a', x: 2 },
      { key: 'a', x: Number.NaN },
      { key: 'a', x: null },
      { key: 'a', x: undefined },
      { key: 'a', x: 1 },
    ];
    const { deadLetters, counters } = driveOperator(operatorOf('ddm'), inputsOf(rows));
    expect(deadLetters.map(({ reason, detail }) => [reason, detail])).toEqual([
      ['empty-key', 'the key is null'],
      ['out-of-range', 'ddm cannot take 2'],
    ]);
    expect(counters).toMatchObject({ watched: 1, unknown: 3 });
    const numbers = detectDrift({ of: (x: number) => x, detector: adwin() });
    const { deadLetters: refused } = driveOperator(numbers, [
      { value: Number.POSITIVE_INFINITY },
      { value: -1e95 },
      { value: -1e80 },
    ]);
    expect(refused.map(({ reason }) => reason)).toEqual(['out-of-range', 'out-of-range']);
  });

  it('names what is wrong with its options', () => {
    const of = (row: Row) => row.x;
    const problems = (options: Partial<Parameters<typeof detectDrift<Row, string>>[0]>) =>
      detectDrift({ of, detector: ddm(), ...options }).problems?.map(({ message }) => message);
    expect(problems({ key: (row) => row.key })).toEqual(['keysMax is undefined']);
    expect(problems({ keysMax: 5 })).toEqual(['keysMax without a key']);
    expect(problems({ detector: adwin({ delta: 2 }) })).toEqual(['delta is 2']);
    expect(detectDrift({ of, detector: ddm() }).problems).toEqual([]);
  });
});
