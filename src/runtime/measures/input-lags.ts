import type { Checkpoint } from '../../core/index.js';
import type { Input } from '../input.js';
import type { TaskSnapshot } from './task-snapshot.js';

/**
 * How far inputs are behind their logs, in records and in time. A task that has ended or failed will be read again from what is `committed`:
 * what it had read beyond that is behind too.
 */
export function lagsOf(
  inputs: readonly Input[],
  committed: Checkpoint['positions'] | undefined,
): Pick<TaskSnapshot, 'lag' | 'unreadMs'> {
  const lag: Record<string, number> = {};
  const unreadMs: Record<string, number> = {};
  for (const input of inputs) {
    const { key, reader } = input;
    const { offset, mergeTimeMs } = committed?.[key] ?? input.position;
    if (reader.logEnd !== undefined && offset >= 0) lag[key] = Math.max(0, reader.logEnd - offset);
    const hasHead = !committed && input.buffered > 0;
    // Before it is polled the next record is as late as the last one, or later.
    const timeMs = hasHead ? input.headOrigin.eventTimeMs : lag[key] ? mergeTimeMs : Number.NaN;
    if (Math.abs(timeMs) < TIME_MAX_MS) unreadMs[key] = timeMs;
  }
  return { lag, unreadMs };
}

/** What a `Date` can hold; the times before all and after all lie beyond. */
const TIME_MAX_MS = 8.64e15;

/** Asks for the ends of logs that a task does not poll: its run is paused, or it has failed and waits for a sink that is down. */
export function refreshLags(inputs: readonly Input[]): void {
  for (const { reader } of inputs) reader.refreshLogEnd?.();
}
