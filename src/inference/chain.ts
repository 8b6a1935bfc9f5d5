import { type CascadeSpec, MillraceError, type ModelHandle, type RunResult } from '../core/index.js';
import type { CircuitBreaker } from '../util/circuit-breaker.js';

type Run = ModelHandle['run'];

/** A model that answers in place of those before it. */
export interface Link {
  readonly handle: ModelHandle;
  /** What `degraded` says of its rows; nothing for the first declared one. */
  readonly name: string | undefined;
  /** While it is open, the model is not asked. */
  readonly breaker: CircuitBreaker;
}

/** The answers of some models for the rows of one call. */
interface Answers extends RunResult {
  readonly failures: Map<number, string>;
  readonly degraded: (string | null)[];
  readonly versions: string[];
}

const firstBucket = () => 0;

/**
 * A fallback chain: asks the first model about all rows, the next one about those on which it failed, and so on. A row counts as
 * failed if the model says so, or if its answer is not finite. A model that cannot be run (`MillraceError('inference')`) is not asked
 * again for a while.
 *
 * Rejects where none of the models could be run. A row on which all of them fail has the failure of the first that said one.
 */
export function fallbackChain(links: readonly [Link, ...Link[]]): ModelHandle {
  const [{ handle: main }] = links;

  const run: Run = async (rows, fill, bucketOf = firstBucket) => {
    let answers: Answers | undefined;
    let left = upTo(rows);
    let error: unknown;
    for (const link of links) {
      if (link.breaker.isOpen && !isLastHope(link, answers)) continue;
      try {
        const result = await runSome(link.handle, left, fill, bucketOf);
        link.breaker.succeeded();
        const failed = failedRows(result, main.outputSize);
        if (failed.length === 0 && left.length === rows && link.name === undefined) return result;
        answers ??= noAnswers(rows, main.outputSize);
        merge(answers, result, left, link.name, main.outputSize);
        left = failed.map((at) => left[at] as number);
        if (left.length === 0) break;
      } catch (cause) {
        if (!cannotRun(cause)) throw cause;
        link.breaker.failed();
        error ??= cause;
      }
    }
    if (answers === undefined) throw error;
    return answers;
  };

  /** Somebody must be asked: the last one, if nobody has answered yet. */
  const isLastHope = (link: Link, answers: Answers | undefined) => answers === undefined && link === links.at(-1);

  return composed(
    main,
    run,
    links.map(({ handle }) => handle),
  );
}

/**
 * Asks a cheap model about all rows, and a dear one about those of which it is unsure, or on which it fails. Which model answers a
 * row is a function of the row. Rejects where either of them cannot be run.
 */
export function cascade(
  first: ModelHandle,
  dear: ModelHandle,
  { below, above }: Omit<CascadeSpec, 'first'>,
): ModelHandle {
  const { outputSize } = dear;
  const run: Run = async (rows, fill, bucketOf = firstBucket) => {
    const result = await first.run(rows, fill, bucketOf);
    const scoreOf = (row: number) => result.scores[(row + 1) * outputSize - 1] as number;
    const isSure = (row: number) => !result.failures.has(row) && (scoreOf(row) <= below || scoreOf(row) >= above);
    const unsure = upTo(rows).filter((row) => !isSure(row));
    if (unsure.length === 0) return result;
    const answers = noAnswers(rows, outputSize);
    merge(answers, result, upTo(rows), undefined, outputSize);
    for (const row of unsure) answers.failures.delete(row);
    merge(answers, await runSome(dear, unsure, fill, bucketOf), unsure, undefined, outputSize);
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

const cannotRun = (error: unknown): boolean => error instanceof MillraceError && error.code === 'inference';

const upTo = (rows: number): number[] => Array.from({ length: rows }, (_, row) => row);

/** A handle that stands for `main`, and asks several models. It answers calls in the order in which they were made. */
function composed(main: ModelHandle, run: Run, asked: readonly ModelHandle[]): ModelHandle {
  const { inputs, lengths, outputSize, version, stats } = main;
  let before: Promise<unknown> = Promise.resolve();
  return {
    ...{ inputs, lengths, outputSize, version, stats },
    get provider() {
      return main.provider;
    },
    async run(...call) {
      const answer = run(...call);
      const turn = before;
      before = Promise.allSettled([turn, answer]);
      await turn;
      return answer;
    },
    flush() {
      for (const handle of asked) handle.flush();
    },
  };
}

const runSome = (handle: ModelHandle, rows: readonly number[], ...[fill, bucketOf]: Required<TailOf<Run>>) =>
  handle.run(
    rows.length,
    (at, into, place) => fill(rows[at] as number, into, place),
    (at) => bucketOf(rows[at] as number),
  );
type TailOf<F extends Run> = Parameters<F> extends [number, ...infer Rest] ? Rest : never;

function failedRows({ scores, failures, degraded }: RunResult, outputSize: number): number[] {
  const failed = new Set(failures.keys());
  for (let i = 0; i < scores.length; i++) if (!Number.isFinite(scores[i])) failed.add(Math.floor(i / outputSize));
  return failed.size === 0 ? [] : upTo(degraded.length).filter((row) => failed.has(row));
}

const noAnswers = (rows: number, outputSize: number): Answers => ({
  scores: new Float32Array(rows * outputSize).fill(Number.NaN),
  failures: new Map(),
  degraded: new Array<null>(rows).fill(null),
  versions: new Array<string>(rows).fill(''),
});

/** Writes what a model answered for `rows` into the answers of the call. A row that it could not answer keeps what it had. */
function merge(
  into: Answers,
  { scores, failures, degraded, versions }: RunResult,
  rows: readonly number[],
  name: string | undefined,
  outputSize: number,
): void {
  for (const [at, row] of rows.entries()) {
    const failure = failures.get(at);
    if (failure !== undefined) {
      if (!into.failures.has(row)) into.failures.set(row, failure);
      continue;
    }
    const own = degraded[at] as string | null;
    into.failures.delete(row);
    into.scores.set(scores.subarray(at * outputSize, (at + 1) * outputSize), row * outputSize);
    into.degraded[row] = name === undefined ? own : own === null ? name : `${name} on ${own}`;
    into.versions[row] = versions[at] as string;
  }
}
