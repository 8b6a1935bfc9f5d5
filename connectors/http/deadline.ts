/**
 * A signal that aborts after a time, or when another signal does; `end` releases both.
 *
 * `AbortSignal.any` with `AbortSignal.timeout` would do the same, but Node 20 may collect the timeout as garbage before it fires,
 * and the request would then wait for ever.
 *
 * @example const limit = deadline(5_000, closing.signal); await fetch(url, { signal: limit.signal }).finally(limit.end);
 */
export function deadline(ms: number, other: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } {
  const own = new AbortController();
  const follow = () => own.abort(other.reason);
  const timer = setTimeout(() => own.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')), ms);
  if (other.aborted) follow();
  else other.addEventListener('abort', follow, { once: true });
  return {
    signal: own.signal,
    end() {
      clearTimeout(timer);
      other.removeEventListener('abort', follow);
    },
  };
}
