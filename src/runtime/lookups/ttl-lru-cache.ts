import type { LookupAnswer, LookupCache } from '../../core/index.js';

interface Entry {
  readonly answer: LookupAnswer;
  readonly expiresAtMs: number;
}

/**
 * A cache of answers: values for `ttl`, missing keys for `missingTtl`, failures never. When it is full, the least recently used is
 * removed (a `Map` keeps its keys in insertion order).
 *
 * Memory: `entriesMax` answers. An expired one stays until it is requested or removed.
 */
export class TtlLruCache {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly limits: LookupCache,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): LookupAnswer | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    if (entry.expiresAtMs <= this.now()) return undefined;
    this.entries.set(key, entry);
    return entry.answer;
  }

  put(key: string, answer: LookupAnswer): void {
    const { entriesMax, ttl, missingTtl } = this.limits;
    const keptMs = answer.kind === 'found' ? ttl : answer.kind === 'missing' ? missingTtl : undefined;
    this.entries.delete(key);
    if (!keptMs) return;
    if (this.entries.size >= entriesMax) this.entries.delete(this.entries.keys().next().value as string);
    this.entries.set(key, { answer, expiresAtMs: this.now() + keptMs });
  }
}
