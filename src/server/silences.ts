import type { TaskSnapshot } from '../runtime/index.js';

/** A sink, a batched step or the checkpoint from which nothing has come back for a while. */
export interface Silence {
  readonly id: string;
  readonly seconds: number;
}

/** With half a second until the next write and a second until the next picture, a page says within three that something was killed. */
const SILENT_MS = 1_400;

/** What makes no progress, long before its connector gives up and calls it down; each with the longest time of all tasks. */
export function silences(tasks: readonly Pick<TaskSnapshot, 'pending'>[]): Silence[] {
  const longest = new Map<string, number>();
  for (const { kind, id, silentMs } of tasks.flatMap(({ pending }) => pending)) {
    if (silentMs < SILENT_MS) continue;
    // The engine's own sinks are `$metrics` and `$deadLetters`.
    const name = kind === 'ledger' ? 'the checkpoint' : id.replace(/^\$/, '');
    longest.set(name, Math.max(silentMs, longest.get(name) ?? 0));
  }
  return [...longest].map(([id, ms]) => ({ id, seconds: Math.round(ms / 1_000) }));
}
