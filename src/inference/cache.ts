import { createHash } from 'node:crypto';
import type { ModelHandle, RunResult } from '../core/index.js';
import { declared, inOrder, merge, noAnswers, runSome } from './chain.js';
import { layoutOf, viewsOf } from './scheduling/layout.js';

/** What the key and the book-keeping of an answer take beside its numbers, about. */
const ENTRY_BYTES = 160;

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
      const key = `${bucket} ${createHash('sha256').update(bytes).digest('base64url')}`;
      keys.push(key);
      const known = answers.get(key);
      if (known === undefined) misses.push(row);
      else result.scores.set(known, row * outputSize);
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

  function remember({ scores, failures, degraded }: RunResult, rows: readonly number[], keys: readonly string[]): void {
    for (const [at, row] of rows.entries()) {
      if (failures.has(at) || degraded[at] !== null) continue;
      answers.set(keys[row] as string, scores.slice(at * outputSize, (at + 1) * outputSize));
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

/** Answers by key, up to so many bytes; the least recently used leave first. */
function answerCache(bytesMax: number) {
  const entries = new Map<string, Float32Array>();
  let bytes = 0;
  const sizeOf = (scores: Float32Array) => ENTRY_BYTES + scores.byteLength;
  return {
    get(key: string): Float32Array | undefined {
      const scores = entries.get(key);
      if (scores === undefined) return undefined;
      entries.delete(key);
      entries.set(key, scores);
      return scores;
    },
    set(key: string, scores: Float32Array): void {
      if (entries.has(key)) return;
      entries.set(key, scores);
      bytes += sizeOf(scores);
      for (const [oldest, old] of entries) {
        if (bytes <= bytesMax) return;
        entries.delete(oldest);
        bytes -= sizeOf(old);
      }
    },
  };
}
