import { constants } from 'node:os';

/** What chdb takes over when it opens, to print a report and then sleep. */
const SIGNALS = ['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP', 'SIGTSTP'] as const;

/**
 * Gives these signals back their default handling, so that a fatal error ends the process at once: with chdb's own handlers
 * a process whose heap had overflowed stayed for minutes, deaf to SIGTERM. Signals that somebody listens to stay theirs.
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
