import { type ChildProcess, spawn } from 'node:child_process';

/** Waits until nobody holds the other end of its input any more, which is when we are gone, however we went. */
const WATCH = 'cat; kill "-$1" "$2"; while kill -0 "$2"; do sleep 0.1; done; [ -z "$3" ] || rm -rf -- "$3"';

/**
 * Ends a server with this process, even where that is killed and can do nothing about it any more; then takes away its folder.
 *
 * @example
 * diesWithUs(spawn('redis-server'), { signal: 'KILL', folder });
 */
export function diesWithUs(
  server: ChildProcess,
  { signal, folder = '' }: { readonly signal: 'KILL' | 'QUIT'; readonly folder?: string },
): void {
  if (server.pid === undefined) return; // it did not start, which its 'error' says
  const args = ['-c', WATCH, 'watch', signal, String(server.pid), folder];
  const watch = spawn('sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watch.unref();
  (watch.stdin as unknown as { unref(): void }).unref();
  server.once('exit', () => watch.kill('SIGKILL')); // its id may be another's soon
}
