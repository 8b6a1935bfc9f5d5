import { createHash } from 'node:crypto';
import type { Discrete, ModelHandle, RunResult } from '../core/index.js';
import { type Answers, declared, inOrder, merge, noAnswers, runSome } from './chain.js';
import { layoutOf, textsIn, viewsOf } from './scheduling/layout.js';

/** What the key and the book-keeping of an answer take beside its numbers, about. */
const ENTRY_BYTES = 160;
const TEXT_BYTES = 24;

/**
 * A model that remembers its answers: a row with the bytes of an earlier one is not scored again. Only what the first provider answered
 * without a failure is kept. The least recently used answers leave.
 *
 * Whether it helps is for its hit rate to say (`stats().cache`): each row is hashed (SHA-256), which takes some microseconds, so the cache
 * of a small model costs more than the model.
 *
 * Guarantees: calls are answered in the order made. On the CPU answers are the same bit for bit.
 *
 * Memory: `bytesMax`, about.
 */
export function cached(model: ModelHandle, bytesMax: number): ModelHandle {
  const { inputs, lengths, outputSize, version } = model;
  const answers = answerCache(bytesMax);
  const places = lengths.map((length) => {
    const layout = layoutOf(inputs, length, 1);
    const bytes = new Uint8Array(layout.byteLength);
    return { bytes, views: viewsOf(layout, bytes.buffer) };
  });
  const counts = { hits: 0, misses: 0 };

  const run: ModelHandle['run'] = async (rows, fill, bucketOf = () => 0, urgency = {}) => {
    const keys: string[] = [];
    const misses: number[] = [];
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
      if (known === undefined) misses.push(row);
      else recall(result, row, known);
    }
    counts.hits += rows - misses.length;
    counts.misses += misses.length;
    if (misses.length === 0) return result;
    const scored = await runSome(model, misses, fill, bucketOf, urgency);
    remember(scored, misses, keys);
    if (misses.length === rows) return scored;
    merge(result, scored, misses, declared, outputSize);
    return result;
  };

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
    for (const [at, row] of rows.entries()) {
      if (failures.has(at) || degraded[at] !== null) continue;
      answers.set(keys[row] as string, {
        scores: scores.slice(at * outputSize, (at + 1) * outputSize),
        discrete: discrete?.[at],
      });
    }
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

/** What a model gave for a row. */
interface Remembered {
  readonly scores: Float32Array;
  readonly discrete: readonly Discrete[] | undefined;
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
      if (entries.has(key)) return;
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
