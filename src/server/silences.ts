import type { TaskSnapshot } from '../runtime/index.js';

/** A sink, a batched step or the checkpoint from which nothing has come back for a while. */
export interface Silence {
  readonly id: string;
  readonly seconds: number;
}

/** With a picture a second, two in a row without progress. */
const SILENT_MS = 900;

/**
 * Finds operations in flight that make no progress, long before the connector gives up and the sink is called down: pictures in a row
 * are compared, so a record costs nothing for it.
 *
 * Memory: one entry for each task and part with operations in flight.
 */
export function silences(): (
  tasks: readonly Pick<TaskSnapshot, 'subtopology' | 'partition' | 'pending'>[],
  atMs: number,
) => Silence[] {
  let before = new Map<string, { readonly ended: number; readonly sinceMs: number }>();
  return (tasks, atMs) => {
    const now: typeof before = new Map();
    const longest = new Map<string, number>();
    for (const { subtopology, partition, pending } of tasks)
      for (const { kind, id, ended } of pending) {
        const key = JSON.stringify([subtopology, partition, kind, id]);
        const known = before.get(key);
        const sinceMs = known?.ended === ended ? known.sinceMs : atMs;
        now.set(key, { ended, sinceMs });
        const silentMs = atMs - sinceMs;
        const name = kind === 'ledger' ? 'the checkpoint' : id;
        if (silentMs >= SILENT_MS) longest.set(name, Math.max(silentMs, longest.get(name) ?? 0));
      }
    before = now;
    return [...longest].map(([id, ms]) => ({ id, seconds: Math.round(ms / 1_000) }));
  };
}
