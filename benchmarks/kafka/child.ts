import { messageOf } from '../../src/core/index.js';
import type { Running } from '../../src/runtime/index.js';

/** Runs a topology as a child process until the benchmark stops it or is gone, and closes what was opened. */
export async function runAsChild(
  start: () => Promise<Running>,
  opened: readonly { close(): Promise<void> }[],
): Promise<void> {
  try {
    const running = await start();
    const stop = () => void running.stop().catch(() => undefined); // `finished` says the same
    process.on('SIGTERM', stop);
    process.once('disconnect', stop);
    await running.finished;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  } finally {
    for (const each of opened) await each.close();
    if (process.connected) process.disconnect();
  }
}
