import type { Discrete, FillRow, ModelStats, RunResult } from '../../core/index.js';
import type { GateStats } from '../residency/residents.js';
import type { Scored } from '../workers/protocol.js';

/** What a queue knows of its model; the rest is known where it is loaded and checked. */
export type QueueStats = Omit<ModelStats, 'runRows' | 'checks' | 'wrongChecks' | 'cache' | keyof GateStats>;

/** The rows of one caller, which may be in several batches. */
export interface Call {
  readonly fill: FillRow;
  /** The numbers of a row's answer. */
  readonly outputSize: number;
  /** Empty before the first answer. */
  scores: Float32Array;
  discrete: (readonly Discrete[])[] | undefined;
  failures: Map<number, string> | undefined;
  /** The rows of `failures` about which the model was not asked. */
  shed: Set<number> | undefined;
  /** Why it was asked about none of them; then they are neither in `failures` nor in `shed`. */
  whyShed: string | undefined;
  /** By row; `undefined` while the first provider answered all of them. */
  degraded: (string | null)[] | undefined;
  readonly rows: number;
  /** When it was made. */
  readonly sinceMs: number;
  /** Rows without an answer yet. */
  left: number;
  /** Whether it is settled after the calls that were made before it, or as soon as it can be. */
  readonly isInOrder: boolean;
  isSettled: boolean;
  error: { readonly cause: unknown } | undefined;
  readonly answered: Promise<RunResult>;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (cause: unknown) => void;
}

type Asked = Pick<Call, 'fill' | 'outputSize' | 'rows' | 'sinceMs' | 'isInOrder'>;

/** What resolves and rejects the newest promise. One function takes it for all: a closure for each call costs it a tenth of its memory. */
const newest: { resolve: Call['resolve']; reject: Call['reject'] } = { resolve() {}, reject() {} };
function keepEnds(resolve: Call['resolve'], reject: Call['reject']): void {
  newest.resolve = resolve;
  newest.reject = reject;
}

const noScores = new Float32Array(0);

/** A call without an answer yet. All properties are there from the beginning, which makes them fast. */
export function newCall({ fill, outputSize, rows, sinceMs, isInOrder }: Asked): Call {
  const answered = new Promise(keepEnds);
  return {
    fill,
    outputSize,
    scores: noScores,
    discrete: undefined,
    failures: undefined,
    shed: undefined,
    whyShed: undefined,
    degraded: undefined,
    rows,
    sinceMs,
    left: rows,
    isInOrder,
    isSettled: false,
    error: undefined,
    answered,
    resolve: newest.resolve,
    reject: newest.reject,
  };
}

/** The part of a call that is in one batch. */
export interface Span {
  readonly call: Call;
  /** The first row, counted in the call and in the batch. */
  readonly inCall: number;
  readonly inBatch: number;
  readonly rows: number;
  /** How long they may take; nothing without a deadline. */
  readonly withinMs: number | undefined;
}

/** When rows should be answered; `Infinity` without a deadline. */
export const dueMs = ({ call, withinMs = Number.POSITIVE_INFINITY }: Pick<Span, 'call' | 'withinMs'>): number =>
  call.sinceMs + withinMs;

/** The answer for a batch: `outputSize` numbers per row, and the rows (of the batch) that failed on their own. */
export interface Answer extends Scored {
  /** The provider that answered in place of the first declared one. */
  readonly degraded: string | null;
}

const FEW = 64;

/** What is made for a number of rows, read only, once for each number up to `FEW`. */
function keptForFew<T>(make: (rows: number) => T): (rows: number) => T {
  const few: T[] = [];
  return (rows) => {
    if (rows > FEW) return make(rows);
    few[rows] ??= make(rows);
    return few[rows];
  };
}

/**
 * Arrays of one value for all rows, read only. Callers that ask with a few rows, or with as many as the one before, get the same array.
 *
 * Memory: the arrays of up to `FEW` rows, and the last one.
 */
export function sameForAll<T>(value: T): (rows: number) => readonly T[] {
  let last: readonly T[] = [];
  return keptForFew((rows) => {
    if (last.length !== rows) last = new Array<T>(rows).fill(value);
    return last;
  });
}

const nobody = sameForAll<string | null>(null);
const noFailures: ReadonlyMap<number, string> = new Map();

/** Writes the answer of a batch into the calls that have rows in it. */
export function answerSpans(spans: readonly Span[], { scores, discrete, failures, degraded }: Answer): void {
  for (const { call, inCall, inBatch, rows } of spans) {
    const { outputSize } = call;
    const [from, to] = [inBatch * outputSize, (inBatch + rows) * outputSize];
    // Where one number answers, a slice would cost more than all the rest.
    if (to - from === 1) scoresOf(call)[inCall] = scores[from] as number;
    else if (rows === call.rows) call.scores = scores.slice(from, to);
    else scoresOf(call).set(scores.subarray(from, to), inCall * outputSize);
    if (discrete !== undefined) {
      call.discrete ??= new Array(call.rows);
      for (let row = 0; row < rows; row++) call.discrete[inCall + row] = discrete[inBatch + row] as readonly Discrete[];
    }
    for (const [row, cause] of failures)
      if (row >= inBatch && row < inBatch + rows) failRow(call, row - inBatch + inCall, cause);
    if (degraded !== null) {
      call.degraded ??= new Array<string | null>(call.rows).fill(null);
      call.degraded.fill(degraded, inCall, inCall + rows);
    }
    call.left -= rows;
  }
}

function scoresOf(call: Call): Float32Array {
  if (call.scores === noScores) call.scores = new Float32Array(call.rows * call.outputSize);
  return call.scores;
}

/** Answers rows of a call without the model: somebody else answers them in time. */
export function shedRows(call: Call, first: number, rows: number, cause: string): void {
  call.left -= rows;
  if (rows === call.rows) {
    call.whyShed = cause;
    return;
  }
  call.shed ??= new Set();
  for (let row = first; row < first + rows; row++) {
    call.shed.add(row);
    failRow(call, row, cause);
  }
}

function failRow(call: Call, row: number, cause: string): void {
  call.failures ??= new Map();
  call.failures.set(row, cause);
}

export function failSpans(spans: readonly Span[], cause: unknown): void {
  for (const { call, rows } of spans) {
    call.error ??= { cause };
    call.left -= rows;
  }
}

/** Settles the calls at the beginning of `calls` that have all their answers, in the order in which they were made; says how many. */
export function settleInOrder(calls: Call[], versions: Versions): number {
  let settled = 0;
  for (const call of calls) {
    if (call.left > 0) break;
    settleCall(call, versions);
    settled++;
  }
  if (settled > 0) calls.splice(0, settled);
  return settled;
}

/** By a number of rows, the digest of the model for each. */
export type Versions = (rows: number) => readonly string[];

export function settleCall(call: Call, versions: Versions): void {
  const { discrete, failures = noFailures, shed, degraded = nobody(call.rows), error } = call;
  call.isSettled = true;
  if (error !== undefined) return void call.reject(error.cause);
  if (call.whyShed !== undefined) return void call.resolve(shedWhole(call, call.whyShed, versions));
  const answered = { scores: scoresOf(call), failures, degraded, versions: versions(call.rows) };
  const isPlain = discrete === undefined && shed === undefined;
  call.resolve(isPlain ? answered : { ...answered, ...(discrete && { discrete }), ...(shed && { shed }) });
}

const numbersTo = keptForFew((rows): ReadonlySet<number> => new Set(Array.from({ length: rows }, (_, row) => row)));
/** By cause, of which there are a few: what all rows of a call failed by. */
const failuresBy = new Map<string, (rows: number) => ReadonlyMap<number, string>>();

/** An overloaded model leaves most calls to others, so those with a few rows share what they have in common. */
function shedWhole(call: Call, cause: string, versions: Versions): RunResult {
  const { rows } = call;
  let failuresOf = failuresBy.get(cause);
  if (failuresOf === undefined) {
    failuresOf = keptForFew((rows) => new Map(Array.from({ length: rows }, (_, row) => [row, cause] as const)));
    failuresBy.set(cause, failuresOf);
  }
  return {
    scores: scoresOf(call),
    failures: failuresOf(rows),
    degraded: nobody(rows),
    versions: versions(rows),
    shed: numbersTo(rows),
  };
}

/** The rows `from` to `to` of a batch as a batch of their own. */
export function cutSpans(spans: readonly Span[], from: number, to: number): Span[] {
  return spans.flatMap(({ call, inCall, inBatch, rows, withinMs }) => {
    const first = Math.max(inBatch, from);
    const last = Math.min(inBatch + rows, to);
    if (first >= last) return [];
    return [{ call, inCall: inCall + first - inBatch, inBatch: first - from, rows: last - first, withinMs }];
  });
}

/** How many rows were answered with what is no finite number; those that failed have zeros. */
export function notFiniteIn({ scores, discrete }: Answer, rows: number, outputSize: number): number {
  let found = 0;
  for (let row = 0; row < rows; row++) if (!isFiniteRow(scores, discrete?.[row], row, outputSize)) found++;
  return found;
}

/** Whether all numbers of a row are finite. */
export function isFiniteRow(
  scores: Float32Array,
  discrete: readonly Discrete[] | undefined,
  row: number,
  outputSize: number,
): boolean {
  for (let i = row * outputSize; i < (row + 1) * outputSize; i++) if (!Number.isFinite(scores[i])) return false;
  return discrete === undefined || discrete.every((value) => typeof value === 'string' || Number.isFinite(value));
}
