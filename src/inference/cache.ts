import { createHash } from 'node:crypto';
import type { ModelHandle, RunResult } from '../core/index.js';
import { type Answers, declared, inOrder, laterBy, merge, noAnswers, runSome } from './chain.js';
import { isFiniteRow } from './scheduling/calls.js';
import { layoutOf, textsIn, viewsOf } from './scheduling/layout.js';
import type { Remembered, SharedAnswers } from './shared-answers.js';

/** What the key and the book-keeping of an answer take beside its numbers, about. */
const ENTRY_BYTES = 160;
const TEXT_BYTES = 24;

/**
 * A model that remembers its answers: a row with the bytes of an earlier one is not scored again. Only what the first provider answered
 * without a failure is kept. The least recently used answers leave. What it does not remember may be there in `shared`, where finite answers
 * of all processes are.
 *
 * Whether it helps is for its hit rate to say (`stats().cache`): each row is hashed (SHA-256), which takes some microseconds, so the cache
 * of a small model costs more than the model.
 *
 * Guarantees: calls are answered in the order made. On the CPU answers are the same bit for bit.
 *
 * Memory: `bytesMax`, about.
 */
export function cached(model: ModelHandle, bytesMax: number, shared?: SharedAnswers): ModelHandle {
  const { inputs, lengths, outputSize, version } = model;
  const answers = answerCache(bytesMax);
  const places = lengths.map((length) => {
    const layout = layoutOf(inputs, length, 1);
    const bytes = new Uint8Array(layout.byteLength);
    return { bytes, views: viewsOf(layout, bytes.buffer) };
  });
  const counts = { hits: 0, shared: 0, misses: 0 };

  const run: ModelHandle['run'] = async (rows, fill, bucketOf = () => 0, urgency = {}) => {
    const keys: string[] = [];
    const unknown: number[] = [];
    const result = noAnswers(rows, outputSize);
    result.versions.fill(version);
    for (let row = 0; row < rows; row++) {
      const bucket = bucketOf(row);
      const { bytes, views } = places[bucket] as (typeof places)[number];
      fill(row, views, 0);
      const hash = createHash('sha256').update(bytes);
      const texts = textsIn(views);
      if (texts !== undefined) hash.update(JSON.stringify(texts));
      const key = `${bucket} ${hash.digest('base64url')}`;
      keys.push(key);
      const known = answers.get(key);
      if (known === undefined) unknown.push(row);
      else recall(result, row, known);
    }
    const startedMs = performance.now();
    const misses = shared === undefined ? unknown : await recallShared(shared, result, unknown, keys);
    counts.shared += unknown.length - misses.length;
    counts.hits += rows - misses.length;
    counts.misses += misses.length;
    if (misses.length === 0) return result;
    const left = shared === undefined ? urgency : laterBy(urgency, performance.now() - startedMs);
    const scored = await runSome(model, misses, fill, bucketOf, left);
    remember(scored, misses, keys);
    if (misses.length === rows) return scored;
    merge(result, scored, misses, declared, outputSize);
    return result;
  };

  /** Takes what other processes have answered, and returns the rows that none has. */
  async function recallShared(
    from: SharedAnswers,
    into: Answers,
    rows: readonly number[],
    keys: readonly string[],
  ): Promise<readonly number[]> {
    if (rows.length === 0) return rows;
    const found = await from.recall(rows.map((row) => keys[row] as string));
    return rows.filter((row, at) => {
      const known = found[at];
      if (known === undefined) return true;
      answers.set(keys[row] as string, known);
      recall(into, row, known);
      return false;
    });
  }

  function recall(into: Answers, row: number, { scores, discrete }: Remembered): void {
    into.scores.set(scores, row * outputSize);
    if (discrete === undefined) return;
    into.discrete ??= new Array(into.versions.length);
    into.discrete[row] = discrete;
  }

  function remember(
    { scores, discrete, failures, degraded }: RunResult,
    rows: readonly number[],
    keys: readonly string[],
  ): void {
    const forAll = new Map<string, Remembered>();
    for (const [at, row] of rows.entries()) {
      if (failures.has(at) || degraded[at] !== null) continue;
      const key = keys[row] as string;
      const answer = { scores: scores.slice(at * outputSize, (at + 1) * outputSize), discrete: discrete?.[at] };
      answers.set(key, answer);
      if (isFiniteRow(scores, answer.discrete, at, outputSize)) forAll.set(key, answer);
    }
    if (forAll.size > 0) shared?.keep(forAll);
  }

  return {
    ...{ inputs, lengths, outputSize, version },
    get provider() {
      return model.provider;
    },
    run: inOrder(run),
    flush: () => model.flush(),
    check: () => model.check(),
    stats: () => ({ ...model.stats(), cache: { ...counts } }),
  };
}

const bytesOf = ({ scores, discrete = [] }: Remembered): number =>
  discrete.reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? TEXT_BYTES + 2 * value.length : Float64Array.BYTES_PER_ELEMENT),
    ENTRY_BYTES + scores.byteLength,
  );

/** Answers by key, up to so many bytes; the least recently used leave first. */
function answerCache(bytesMax: number) {
  const entries = new Map<string, Remembered>();
  let bytes = 0;
  return {
    get(key: string): Remembered | undefined {
      const known = entries.get(key);
      if (known === undefined) return undefined;
      entries.delete(key);
      entries.set(key, known);
      return known;
    },
    set(key: string, answer: Remembered): void {
      // One that is too large would make all others leave, and then itself.
      if (entries.has(key) || bytesOf(answer) > bytesMax) return;
      entries.set(key, answer);
      bytes += bytesOf(answer);
      for (const [oldest, old] of entries) {
        if (bytes <= bytesMax) return;
        entries.delete(oldest);
        bytes -= bytesOf(old);
      }
    },
  };
}
