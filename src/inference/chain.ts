import {
  type CascadeSpec,
  type Discrete,
  type FallbackReason,
  MillraceError,
  type ModelHandle,
  type RunResult,
  type Urgency,
} from '../core/index.js';
import type { ModelBreaker } from './model-breaker.js';
import { isFiniteRow } from './scheduling/calls.js';

type Run = ModelHandle['run'];

/** A model that answers in place of those before it. */
export interface Link {
  readonly handle: ModelHandle;
  /** What `degraded` says of its rows; nothing for the first declared one. */
  readonly name: string | undefined;
  /** Of the model on its provider, for all chains that have it. */
  readonly breaker: ModelBreaker;
  /** Whether it need not be loaded. */
  isInMemory(): boolean;
}

/** The answers of some models for the rows of one call. */
export interface Answers extends RunResult {
  discrete?: (readonly Discrete[])[];
  readonly failures: Map<number, string>;
  readonly shed: Set<number>;
  readonly reasons: (FallbackReason | null)[];
  readonly degraded: (string | null)[];
  readonly versions: string[];
}

export interface ChainOptions {
  nowMs(): number;
  /** The first declared model could not be opened. */
  readonly isMissing?: boolean;
  /** The first one is a cascade, which has a model for a stream that is behind. */
  readonly isCascade?: boolean;
}

const firstBucket = () => 0;
const noUrgency: Urgency = {};

/**
 * A fallback chain: asks the first model about all rows, the next one about those on which it failed, and so on. A row counts as
 * failed if the model says so, or if its answer is not finite. A model that cannot be run (`MillraceError('inference')`) is not asked
 * again for a while, and then for golden inputs first; where it must be loaded for them, a model that is there answers meanwhile. Rows
 * that would be late are shed by all models but the last.
 *
 * Rejects where none of the models could be run. A row on which all of them fail has the failure of the first that said one.
 */
export function fallbackChain(
  links: readonly [Link, ...Link[]],
  { nowMs, isMissing = false, isCascade = false }: ChainOptions,
): ModelHandle {
  const [{ handle: main }] = links;
  // A stream that is behind is left to those that follow the first declared model. That one is asked where they cannot answer.
  const isFirst = ({ name }: Link) => name === undefined;
  const whenBehind = [...links.filter((link) => !isFirst(link)), ...links.filter(isFirst)];
  /** What was wrong for good with models that were loaded while others answered. */
  const wrong = new Map<Link, unknown>();

  const run: Run = async (rows, fill, bucketOf = firstBucket, urgency = noUrgency) => {
    const startedMs = nowMs();
    let answers: Answers | undefined;
    let left = upTo(rows);
    let error: unknown;
    let isUnavailable = isMissing;
    const isBehind = urgency.isBehind === true && !isCascade;
    const asked = isBehind ? whenBehind : links;
    for (const [i, link] of asked.entries()) {
      const later = asked.slice(i + 1);
      // Somebody must be asked: the last one, if nobody has answered yet.
      if (link.breaker.isOpen && (answers !== undefined || later.length > 0)) {
        isUnavailable = true;
        continue;
      }
      try {
        if (link.breaker.isHalfOpen) {
          if (link.isInMemory()) await probe(link);
          else if (answers !== undefined || later.some(isThere)) {
            probeMeanwhile(link);
            isUnavailable = true;
            continue;
          }
          // Else its rows wait up to their deadline: a session that was loaded answers golden inputs before it gets rows.
        }
        // One that cannot be run takes nothing over, and a stream that is behind leaves nothing to the model that is too slow for it.
        const takesOver = (each: Link) => !each.breaker.isOpen && !(isBehind && isFirst(each));
        const sheds = urgency.sheds === true || later.some(takesOver);
        const own = { ...laterBy(urgency, nowMs() - startedMs), sheds };
        const result = await runSome(link.handle, left, fill, bucketOf, own);
        const failed = failedRows(result, main.outputSize);
        const shed = result.shed?.size ?? 0;
        link.breaker.answered(left.length - shed, failed.length - shed, link.handle.stats().slowness);
        if (failed.length === 0 && left.length === rows && link.name === undefined) return result;
        answers ??= noAnswers(rows, main.outputSize);
        merge(answers, result, left, { name: link.name, isUnavailable, isBehind }, main.outputSize);
        left = failed.map((at) => left[at] as number);
        if (left.length === 0) break;
      } catch (cause) {
        if (!cannotRun(cause)) throw cause;
        link.breaker.failed();
        isUnavailable = true;
        error ??= cause;
      }
    }
    if (answers === undefined) throw error;
    return answers;
  };

  async function probe(link: Link): Promise<void> {
    await link.handle.check();
    link.breaker.passed();
  }

  /** Has a model loaded and probed, and waits for neither. The next call throws what is wrong with it for good. */
  function probeMeanwhile(link: Link): void {
    if (wrong.has(link)) {
      const cause = wrong.get(link);
      wrong.delete(link);
      throw cause;
    }
    probe(link).catch((cause: unknown) => {
      if (cannotRun(cause)) link.breaker.failed();
      else wrong.set(link, cause);
    });
  }

  return composed(
    main,
    run,
    links.map(({ handle }) => handle),
  );
}

/**
 * Asks a cheap model about all rows, and a dear one about those of which it is unsure, or on which it fails. Which model answers a
 * row is a function of the row, unless the stream is behind: then the cheap one answers alone. Rejects where either of them cannot be
 * run.
 */
export function cascade(
  first: ModelHandle,
  dear: ModelHandle,
  { below, above }: Omit<CascadeSpec, 'first'>,
  { nowMs, name }: { nowMs(): number; readonly name: string },
): ModelHandle {
  const { outputSize } = dear;
  const run: Run = async (rows, fill, bucketOf = firstBucket, urgency = noUrgency) => {
    const startedMs = nowMs();
    // The cheap one sheds nothing: only it knows what the dear one is asked about.
    const result = await first.run(rows, fill, bucketOf, { ...urgency, sheds: false });
    const isBehind = urgency.isBehind === true;
    const scoreOf = (row: number) => result.scores[(row + 1) * outputSize - 1] as number;
    const isAnswered = (row: number) => !result.failures.has(row) && Number.isFinite(scoreOf(row));
    const isSure = (row: number) => isAnswered(row) && (isBehind || scoreOf(row) <= below || scoreOf(row) >= above);
    const unsure = upTo(rows).filter((row) => !isSure(row));
    if (unsure.length === 0 && !isBehind) return result;
    const answers = noAnswers(rows, outputSize);
    const standing = isBehind ? { name, isUnavailable: false, isBehind } : declared;
    merge(answers, result, upTo(rows), standing, outputSize);
    if (unsure.length === 0) return answers;
    for (const row of unsure) answers.failures.delete(row);
    const left = laterBy(urgency, nowMs() - startedMs);
    merge(answers, await runSome(dear, unsure, fill, bucketOf, left), unsure, declared, outputSize);
    return answers;
  };
  return composed(dear, run, [first, dear]);
}

/** Throws `MillraceError('model')` unless both take and give the same, so that one can answer for the other. */
export function checkAlike(main: ModelHandle, other: ModelHandle, name: string): void {
  const shapeOf = ({ inputs, lengths, outputSize }: ModelHandle) =>
    JSON.stringify([inputs.map(({ type, shape }) => [type, shape]), lengths, outputSize]);
  if (shapeOf(main) === shapeOf(other)) return;
  throw new MillraceError('model', `${name} takes or gives other tensors than the model that it answers for`, {
    where: name,
    hint: 'export both with the same inputs and the same output size',
  });
}

/** Whether it can be asked at once. */
const isThere = ({ breaker, isInMemory }: Link): boolean => !breaker.isOpen && isInMemory();

const cannotRun = (error: unknown): boolean => error instanceof MillraceError && error.code === 'inference';

const upTo = (rows: number): number[] => Array.from({ length: rows }, (_, row) => row);

/** A handle that stands for `main`, and asks several models. It answers calls without an urgency in the order in which they were made. */
function composed(main: ModelHandle, run: Run, asked: readonly ModelHandle[]): ModelHandle {
  const { inputs, lengths, outputSize, version, stats } = main;
  return {
    ...{ inputs, lengths, outputSize, version, stats },
    get provider() {
      return main.provider;
    },
    run: inOrder(run),
    flush() {
      for (const handle of asked) handle.flush();
    },
    async check() {
      for (const handle of asked) await handle.check();
    },
  };
}

/** Answers calls without an urgency in the order in which they were made. */
export function inOrder(run: Run): Run {
  let before: Promise<unknown> = Promise.resolve();
  return async (...call) => {
    const answer = run(...call);
    if (call[3] !== undefined) return await answer;
    const turn = before;
    // Without a value: it would hold the answer, and the one before it, and so on.
    before = Promise.allSettled([turn, answer]).then(() => {});
    await turn;
    return answer;
  };
}

export const runSome = (
  handle: ModelHandle,
  rows: readonly number[],
  ...[fill, bucketOf, urgency]: Required<TailOf<Run>>
) =>
  handle.run(
    rows.length,
    (at, into, place) => fill(rows[at] as number, into, place),
    (at) => bucketOf(rows[at] as number),
    urgencyOfSome(urgency, rows),
  );

function urgencyOfSome({ tierOf, deadlineOf, ...others }: Urgency, rows: readonly number[]): Urgency {
  return {
    ...others,
    ...(tierOf && { tierOf: (at: number) => tierOf(rows[at] as number) }),
    ...(deadlineOf && { deadlineOf: (at: number) => deadlineOf(rows[at] as number) }),
  };
}

/** The same rows when some of their time is over. */
export function laterBy({ deadlineOf, ...others }: Urgency, ms: number): Urgency {
  if (deadlineOf === undefined) return others;
  return {
    ...others,
    deadlineOf(row) {
      const within = deadlineOf(row);
      return within === undefined ? undefined : within - ms;
    },
  };
}
type TailOf<F extends Run> = Parameters<F> extends [number, ...infer Rest] ? Rest : never;

function failedRows({ scores, discrete, failures, degraded }: RunResult, outputSize: number): number[] {
  const failed: number[] = [];
  for (let row = 0; row < degraded.length; row++)
    if (failures.has(row) || !isFiniteRow(scores, discrete?.[row], row, outputSize)) failed.push(row);
  return failed;
}

export const noAnswers = (rows: number, outputSize: number): Answers => ({
  scores: new Float32Array(rows * outputSize).fill(Number.NaN),
  failures: new Map(),
  shed: new Set(),
  reasons: new Array<null>(rows).fill(null),
  degraded: new Array<null>(rows).fill(null),
  versions: new Array<string>(rows).fill(''),
});

/** What is said of the answers of a model: its name, if it is not the first, and whether one before it cannot be run. */
export interface Standing {
  readonly name: string | undefined;
  readonly isUnavailable: boolean;
  readonly isBehind: boolean;
}

export const declared: Standing = { name: undefined, isUnavailable: false, isBehind: false };

/** Writes what a model answered for `rows` into the answers of the call. A row that it could not answer keeps what it had. */
export function merge(
  into: Answers,
  { scores, discrete, failures, shed, reasons, degraded, versions }: RunResult,
  rows: readonly number[],
  { name, isUnavailable, isBehind }: Standing,
  outputSize: number,
): void {
  for (const [at, row] of rows.entries()) {
    const failure = failures.get(at);
    if (failure !== undefined) {
      if (!into.failures.has(row)) into.failures.set(row, failure);
      if (shed?.has(at)) into.shed.add(row);
      continue;
    }
    into.reasons[row] = reasons?.[at] ?? (name === undefined ? null : reasonOf(into, row, isUnavailable, isBehind));
    const own = degraded[at] as string | null;
    into.failures.delete(row);
    into.shed.delete(row);
    into.scores.set(scores.subarray(at * outputSize, (at + 1) * outputSize), row * outputSize);
    if (discrete !== undefined) {
      into.discrete ??= new Array(into.versions.length);
      into.discrete[row] = discrete[at] as readonly Discrete[];
    }
    into.degraded[row] = name === undefined ? own : own === null ? name : `${name} on ${own}`;
    into.versions[row] = versions[at] as string;
  }
}

/** Why another than the first declared model answers a row. */
function reasonOf(before: Answers, row: number, isUnavailable: boolean, isBehind: boolean): FallbackReason {
  if (before.shed.has(row)) return 'overloaded';
  if (hasFailed(before, row)) return 'failed';
  if (isBehind) return 'behind';
  return isUnavailable ? 'unavailable' : 'failed';
}

/** Whether a model before has said that it fails on the row, or answered with what is no number. */
const hasFailed = ({ failures, versions }: Answers, row: number): boolean => failures.has(row) || versions[row] !== '';
