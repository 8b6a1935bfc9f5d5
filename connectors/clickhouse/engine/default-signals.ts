import { constants } from 'node:os';

/** Signals that chdb handles after it opens: it prints a report and then sleeps. */
const SIGNALS = ['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP', 'SIGTSTP'] as const;

/**
 * Restores the default handling of these signals, so that a fatal error ends the process at once. With chdb's handlers, a process
 * whose heap had overflowed stayed for minutes and ignored SIGTERM. Signals with a listener keep it.
 *
 * Node has no call for it; adding and removing a listener does it.
 */
export function restoreDefaultSignals(): void {
  const ignore = () => undefined;
  for (const signal of SIGNALS) {
    if (!(signal in constants.signals) || process.listenerCount(signal) > 0) continue;
    process.on(signal, ignore);
    process.off(signal, ignore);
  }
}
