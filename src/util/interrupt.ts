import { exitCodes, type Terminal } from './terminal.js';

/**
 * Handles the first Ctrl-C (or SIGTERM) by `stop`, which drains and commits. The second ends the process at once, and the next
 * start continues from the last checkpoint. Returns a function that removes the handlers.
 */
export function onInterrupt({ err }: Pick<Terminal, 'err'>, stop: () => void): () => void {
  let interrupted = false;
  const handle = () => {
    if (interrupted) process.exit(exitCodes.interrupted);
    interrupted = true;
    err('\nstopping: what is in flight is being committed; once more to stop at once\n');
    stop();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
