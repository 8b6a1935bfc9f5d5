import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import {
  adwin,
  type DriftDetector,
  type DriftEvidence,
  ddm,
  eddm,
  hddmA,
  hddmW,
  pageHinkley,
} from '../../../src/ml/drift/index.js';
import { generator } from '../../random.js';

const detectors = { adwin, pageHinkley, ddm, eddm, hddmA, hddmW } as const;
type Kind = keyof typeof detectors;

interface Golden {
  readonly streams: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly kind: Kind;
    readonly options: object;
    readonly stream: string;
    readonly found: readonly number[];
    readonly warned: readonly number[];
  }[];
}

/** The golden file that `benchmarks/peers/drift.py` writes. */
const golden = JSON.parse(readFileSync(new URL('peers.json', import.meta.url), 'utf8')) as Golden;

export const stream = (name: string): readonly number[] => golden.streams[name] as readonly number[];

/** Where a detector finds drifts, where warnings begin, and what it saw of each drift. */
export function places(detector: DriftDetector, numbers: readonly number[], at = 0) {
  const state = new Float64Array(at + detector.size + 3);
  const found: number[] = [];
  const warned: number[] = [];
  const evidence: DriftEvidence[] = [];
  let before = false;
  numbers.forEach((x, i) => {
    const seen = detector.add(state, at, x);
    if (seen?.level === 'drift') {
      found.push(i);
      evidence.push(seen);
    }
    if (seen?.level === 'warning' && !before) warned.push(i);
    before = seen?.level === 'warning';
  });
  // Nothing is written beside its own numbers.
  expect([...state.subarray(0, at), ...state.subarray(at + detector.size)].every((x) => x === 0)).toBe(true);
  return { found, warned, evidence };
}

/** Holds a detector to the places that River finds, in every sequence of the golden file. */
export function holdsToRiver(kind: Kind): void {
  const cases = golden.cases.filter((one) => one.kind === kind);
  expect(cases.some(({ found }) => found.length > 0)).toBe(true);
  for (const { options, stream: name, found, warned } of cases) {
    const detector = detectors[kind](options as never);
    expect(detector.problems).toEqual([]);
    const own = places(detector, stream(name), 5);
    expect({ name, options, found: own.found, warned: own.warned }).toEqual({ name, options, found, warned });
  }
}

/** The state is all that a detector knows: it goes on from a copy, and a pure function gives the same again. */
export function keepsAllInItsState(detector: DriftDetector, numbers: readonly number[]): void {
  let state = new Float64Array(detector.size);
  const other = new Float64Array(detector.size);
  for (const x of numbers) {
    const copy = state.slice();
    const seen = detector.add(state, 0, x);
    detector.add(other, 0, 1 - x); // another sequence of the same detector
    expect(detector.add(copy, 0, x)).toEqual(seen);
    expect(copy).toEqual(state);
    state = copy;
  }
}

const SEEDS = 200;
const NUMBERS = 2_000;

/** Drifts that are found where there is none, a number: over 200 sequences of errors of a rate of 0.2, or of numbers from 0 to 1. */
export function falseAlarms(detector: DriftDetector, kind: 'errors' | 'numbers' = 'errors'): number {
  let alarms = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const next = generator(seed);
    const state = new Float64Array(detector.size);
    for (let i = 0; i < NUMBERS; i++) {
      const x = next();
      if (detector.add(state, 0, kind === 'numbers' ? x : Number(x < 0.2))?.level === 'drift') alarms += 1;
    }
  }
  return alarms / (SEEDS * NUMBERS);
}
