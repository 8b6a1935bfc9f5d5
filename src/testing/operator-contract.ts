import { isDeepStrictEqual } from 'node:util';
import { assert, BEFORE_ALL_MS, MillraceError, type StateChange } from '../core/index.js';
import { type Driven, type DrivenInput, DrivenStep, type Driving } from './drive-operator.js';
import { FakeLedger } from './fake-ledger.js';

/** Options of the check of an operator. */
export interface OperatorCheck {
  /** The most bytes of state after the samples are repeated many times; not checked if missing. */
  readonly stateBytesMax?: number;
  /** How far the watermark trails the latest event time of the samples; 0 by default. */
  readonly disorderMs?: number;
  /** Whether the operator must stop at one of the samples; otherwise stopping breaks the contract. */
  readonly stops?: boolean;
}

/**
 * Checks the contract of every operator, as one test: throws an `internal` error with the broken clause and the sample.
 *
 * - it works on every sample, unless it `stops` at one;
 * - deterministic: the same samples give the same outputs, dead letters, counters and measurements;
 * - inputs and emitted values are never changed;
 * - a snapshot and restore after any sample change nothing, with a checkpoint at each record or only there;
 * - the bytes of a state change do not refer to living state;
 * - without state it remembers nothing: each sample alone gives the same as among the others;
 * - its state stays within `stateBytesMax`.
 *
 * @example checkOperator(dedupe({ key: (v: { id: number }) => v.id, retention: hours(1), keysMax: 10 }), samples);
 *
 * Samples must be structured data (they are copied). All shapes except `batched`; with n samples it costs about n² records.
 */
export function checkOperator(operator: Driven, samples: readonly DrivenInput[], check: OperatorCheck = {}): void {
  const { disorderMs = 0, stateBytesMax } = check;
  const opener = (at = 0, state: Iterable<StateChange> = []) =>
    new DrivenStep(operator, at, state, { disorderMs, watermarkMs: watermarkAfter(samples.slice(0, at), disorderMs) });
  const reference = drive(opener, samples);
  if (reference.failure !== undefined && !check.stops)
    broken(operator, 'works on every sample', `it stopped: ${reference.failure}`);
  compare(operator, 'deterministic', reference, drive(opener, samples));
  checkInputsUntouched(operator, opener, samples, reference);
  if (operator.shape.shape === 'stateful') {
    checkRestoredEverywhere(operator, opener, samples, reference);
    for (let at = 0; at <= samples.length; at++) checkRestoredAt(operator, opener, samples, reference, at);
    checkBound(operator, opener, samples, stateBytesMax);
  } else {
    checkStateless(operator, samples, reference);
  }
}

const copyOf = (sample: DrivenInput): DrivenInput => structuredClone(sample);

/** Opens the operator in its state after `at` samples. */
type Opener = (at?: number, state?: Iterable<StateChange>) => DrivenStep;

/** The watermark of a task after these samples. */
function watermarkAfter(samples: readonly DrivenInput[], disorderMs: number): number {
  return samples
    .filter(({ clockMs }) => clockMs === undefined)
    .reduce((watermarkMs, sample) => Math.max(watermarkMs, timeOf(sample) - disorderMs), BEFORE_ALL_MS);
}

function drive(open: Opener, samples: readonly DrivenInput[]): Driving {
  const step = open();
  for (const sample of samples) if (!step.push(copyOf(sample))) return step;
  step.end();
  return step;
}

/** Frozen inputs detect a write where it happens; copies detect writes to typed arrays, which cannot be frozen. */
function checkInputsUntouched(
  operator: Driven,
  open: Opener,
  samples: readonly DrivenInput[],
  reference: Driving,
): void {
  const step = open();
  const given: DrivenInput[] = [];
  const emittedThen: unknown[] = [];
  for (const sample of samples) {
    const input = freeze(copyOf(sample)) as DrivenInput;
    given.push(input);
    const went = step.push(input);
    for (const { value } of step.emitted.slice(emittedThen.length)) emittedThen.push(structuredClone(value));
    if (!went) break;
  }
  if (step.failure === undefined) step.end();
  if (step.failure !== reference.failure && step.failure !== undefined)
    broken(operator, 'input not mutated', `a frozen input made it fail: ${step.failure}`);
  given.forEach((input, i) => {
    if (!isDeepStrictEqual(input, samples[i])) broken(operator, 'input not mutated', `sample ${i} was changed`);
  });
  step.emitted.forEach(({ value }, i) => {
    if (i < emittedThen.length && !isDeepStrictEqual(value, emittedThen[i]))
      broken(operator, 'output not mutated', `output ${i} was changed after it was emitted`);
  });
  compare(operator, 'input not mutated', reference, step);
}

/** A checkpoint after every record, and a new step restored from it for the next record. */
function checkRestoredEverywhere(
  operator: Driven,
  open: Opener,
  samples: readonly DrivenInput[],
  reference: Driving,
): void {
  const ledger = new FakeLedger();
  const runs: Driving[] = [];
  for (let i = 0; i < samples.length; i++) {
    const step = open(i, ledger.state());
    runs.push(step);
    if (!step.push(copyOf(samples[i] as DrivenInput))) break;
    ledger.store(step.takeChanges());
    if (step.takeChanges().length > 0) broken(operator, 'changes are taken once', `after sample ${i}`);
  }
  if (runs.at(-1)?.failure === undefined) {
    const last = open(samples.length, ledger.state());
    runs.push(last);
    last.end();
  }
  compare(operator, 'restored after every sample', reference, joined(runs));
}

/** One checkpoint, after `at` samples, with one step before and one after it. The original step must still work. */
function checkRestoredAt(
  operator: Driven,
  open: Opener,
  samples: readonly DrivenInput[],
  reference: Driving,
  at: number,
): void {
  const ledger = new FakeLedger();
  const before = open();
  let failed = false;
  for (let i = 0; i < at && !failed; i++) failed = !before.push(copyOf(samples[i] as DrivenInput));
  if (failed) return;
  ledger.store(before.takeChanges());
  const upTo = { ...partOf(before) };
  const after = open(at, ledger.state());
  for (const sample of samples.slice(at)) {
    if (!before.push(copyOf(sample))) failed = true;
    if (!after.push(copyOf(sample))) failed = true;
    if (failed) break;
  }
  if (!failed) for (const step of [before, after]) step.end();
  compare(operator, `unharmed by a snapshot after ${at} samples`, reference, before);
  compare(operator, `restored after ${at} samples`, reference, joined([upTo, after]));
}

/** The state stays within its bound when the samples are repeated with advancing event times. */
function checkBound(
  operator: Driven,
  open: Opener,
  samples: readonly DrivenInput[],
  bytesMax: number | undefined,
): void {
  if (bytesMax === undefined) return;
  const ledger = new FakeLedger();
  const step = open();
  const span = Math.max(0, ...samples.map(timeOf)) + 1;
  const clockSpan = Math.max(0, ...samples.map(({ clockMs = 0 }) => clockMs)) + 1;
  for (let round = 0; round < 20; round++) {
    for (const sample of samples) if (!step.push(laterBy(sample, round * span, round * clockSpan))) return;
    ledger.store(step.takeChanges());
    if (ledger.bytes > bytesMax)
      broken(operator, 'memory bound', `${ledger.bytes} bytes of state after round ${round}, over ${bytesMax}`);
  }
}

function checkStateless(operator: Driven, samples: readonly DrivenInput[], reference: Driving): void {
  const runs = samples.map((sample, i) => {
    const step = new DrivenStep(operator, i);
    step.push(copyOf(sample));
    return step;
  });
  const failed = runs.findIndex((run) => run.failure !== undefined);
  compare(operator, 'stateless', reference, joined(failed < 0 ? runs : runs.slice(0, failed + 1)));
}

const laterBy = (sample: DrivenInput, ms: number, clockMs: number): DrivenInput =>
  sample.clockMs === undefined
    ? { ...copyOf(sample), eventTimeMs: timeOf(sample) + ms }
    : { ...sample, clockMs: sample.clockMs + clockMs };

const timeOf = (sample: DrivenInput): number => sample.eventTimeMs ?? 0;

function partOf(driving: Driving): Driving {
  const { emitted, deadLetters, counters, measures, failure } = driving;
  const part = {
    emitted: [...emitted],
    deadLetters: [...deadLetters],
    counters: { ...counters },
    measures: [...measures],
  };
  return failure === undefined ? part : { ...part, failure };
}

function joined(runs: readonly Driving[]): Driving {
  const counters: Record<string, number> = {};
  for (const run of runs)
    for (const [name, value] of Object.entries(run.counters)) counters[name] = (counters[name] ?? 0) + value;
  const failure = runs.at(-1)?.failure;
  const all = {
    emitted: runs.flatMap((run) => run.emitted),
    deadLetters: runs.flatMap((run) => run.deadLetters),
    counters,
    measures: runs.flatMap((run) => run.measures),
  };
  return failure === undefined ? all : { ...all, failure };
}

function compare(operator: Driven, clause: string, expected: Driving, actual: Driving): void {
  for (const part of ['emitted', 'deadLetters', 'measures'] as const) {
    const [want, have] = [expected[part], actual[part]];
    for (let i = 0; i < Math.max(want.length, have.length); i++)
      if (!isDeepStrictEqual(want[i], have[i]))
        broken(operator, clause, `${part} ${i} should be ${show(want[i])}, is ${show(have[i])}`);
  }
  if (!isDeepStrictEqual(expected.counters, actual.counters))
    broken(operator, clause, `counters should be ${show(expected.counters)}, are ${show(actual.counters)}`);
  if (expected.failure !== actual.failure)
    broken(operator, clause, `failure should be ${expected.failure}, is ${actual.failure}`);
}

function broken(operator: Driven, clause: string, detail: string): never {
  throw new MillraceError('internal', `${operator.kind} breaks the operator contract (${clause}): ${detail}`);
}

const show = (value: unknown): string => {
  const text =
    JSON.stringify(value, (_, v) =>
      typeof v === 'bigint' ? `${v}n` : v instanceof Uint8Array ? `bytes(${v.length})` : v,
    ) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
};

function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  assert(!(value instanceof Map) && !(value instanceof Set), 'samples of plain objects, arrays and typed arrays');
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

export {
  type Driven,
  type DrivenInput,
  type DrivenOutput,
  type DrivenTime,
  type Driving,
  driveOperator,
} from './drive-operator.js';
