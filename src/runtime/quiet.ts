import type { Input } from './input.js';
import type { PendingOperations } from './pending-operations.js';

/** Notes which inputs bring nothing while another one has records that wait for them. */
export function noteQuiet(waits: PendingOperations, inputs: readonly Input[], blocked: boolean): void {
  const waiting = blocked && inputs.some(({ buffered }) => buffered > 0);
  for (const { key, buffered, ended } of inputs)
    waits.set({ kind: 'quiet', id: key }, waiting && buffered === 0 && !ended);
}
