import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, but not beyond the signal: it resolves then too. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined); // the caller looks at the signal
