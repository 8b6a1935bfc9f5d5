import { type ErrorCode, MillraceError, messageOf } from '../../src/core/errors.js';

const broken =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|Connection is closed|max retries|timed out/i;
/** Redis's own words for "later": it loads its data, a script runs, a replica is being made the master. */
const later = /^(LOADING|BUSY|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|NOREPLICAS)\b/;

/** Whether another try may succeed. */
export function isPassing(error: unknown): boolean {
  const text = messageOf(error);
  return later.test(text) || broken.test(`${String((error as { code?: unknown } | null)?.code)} ${text}`);
}

/** What stays as it is until somebody does something about it. */
const lasting = /^(NOAUTH|WRONGPASS|NOPERM|CROSSSLOT|MOVED)\b/;

const hints: readonly (readonly [RegExp, string])[] = [
  [/^(NOAUTH|WRONGPASS)/, 'user and password stand in the URL: redis://user:password@host:port'],
  [
    /^NOPERM/,
    'the user needs EVALSHA, SCRIPT LOAD, HGET, HSET, DEL and PEXPIRE on these keys (HGETALL or MGET to look up)',
  ],
  [/^OOM/, 'Redis has no memory left: raise `maxmemory`, or shorten the ttl of the hashes'],
  [/^(CROSSSLOT|MOVED)/, 'this is a Redis Cluster: hashes and their fence must be on one node, so use a single master'],
  [/^READONLY/, 'this is a replica: give the address of the master'],
];

/** An error of Redis in Millrace's words. */
export function explain(error: unknown, doing: string, where: string, code: ErrorCode = 'sink'): MillraceError {
  if (error instanceof MillraceError) return error;
  const text = messageOf(error);
  const hint = hints.find(([pattern]) => pattern.test(text))?.[1];
  const unreachable = `does Redis answer at ${where}? \`npm run stack\` starts one`;
  return new MillraceError(code, `${doing}: ${text}`, {
    where,
    hint: hint ?? (isPassing(error) ? unreachable : 'the message is the words of Redis'),
    lasting: lasting.test(text),
    cause: error,
  });
}
