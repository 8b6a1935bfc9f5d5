import { type ErrorCode, MillraceError, messageOf } from '../../../src/core/errors.js';

const broken =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|Connection is closed|Command aborted|max retries|timed out|socket timeout/i;
/** Cluster errors that pass: nodes that do not answer, slots that are being moved. */
const moving =
  /^(MOVED|ASK|EXECABORT)\b|Too many Cluster redirections|Failed to refresh slots|startup nodes|Cluster isn't ready|Cluster Ended/i;
/** Redis errors that pass: it loads its data, a script runs, a replica is being promoted. */
const later = /^(LOADING|BUSY|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|NOREPLICAS)\b/;

/** If Redis discards a transaction, this reason follows its own error code. */
const forbidden = /^(?:EXECABORT .*)?\bNOPERM\b/;

/** Whether a retry may succeed. */
export function isPassing(error: unknown): boolean {
  const text = messageOf(error);
  if (forbidden.test(text)) return false;
  return (
    later.test(text) ||
    moving.test(text) ||
    broken.test(`${String((error as { code?: unknown } | null)?.code)} ${text}`)
  );
}

/** Errors that stay until somebody changes something. */
const permanent =
  /^(NOAUTH|WRONGPASS|CROSSSLOT|WRONGTYPE)\b|cluster support disabled|self[- ]signed|certificate|wrong version number/i;

/** Redis refuses to write a record. */
export class Refusal extends Error {
  constructor(
    words: string,
    readonly key: string,
  ) {
    super(words);
  }
}

/** Errors that pass when memory or disk is free again. */
const full = /^(OOM|MISCONF)\b/;

const hints: readonly (readonly [RegExp, string])[] = [
  [/^(NOAUTH|WRONGPASS)/, 'give user and password in the URL: redis://user:password@host:port'],
  [
    /NOPERM|executing the script can't/,
    'the user needs EVALSHA, EVAL and what the sink writes with (HGET and HSET for fences), on its keys and on millrace:fence:*',
  ],
  [/^OOM/, 'Redis has no memory left: raise `maxmemory`, or shorten the ttl of what is written'],
  [/^WRONGTYPE/, 'a key holds something of another kind: choose other keys, or delete it'],
  [
    /overflow|NaN or Infinity|not an integer|not a valid float|out of range/,
    'the number that the key holds is none, or would grow beyond what Redis counts: choose other keys, or delete it',
  ],
  [/^CROSSSLOT/, 'a proxy hides a Redis Cluster: give the addresses of its nodes'],
  [/cluster support disabled/, 'several hosts mean a Redis Cluster: give one host for a single server'],
  [
    /self[- ]signed|certificate/i,
    'name who signed the certificate with redisCa, and the name in it with redisServerName',
  ],
  [/wrong version number/i, 'the server does not speak TLS: begin the URL with redis://'],
  [/^READONLY/, 'this is a replica: give the address of the master'],
];

const MAY_READ =
  'the user needs MULTI, EXEC, XINFO, XRANGE and XREAD for streams, HGETALL and MGET for lookups, on the keys that are read';

/** The client attaches the command to its errors, with values and the password of a login; this removes it. */
export function withoutCommand(error: unknown): unknown {
  if (typeof error === 'object' && error !== null) delete (error as { command?: unknown }).command;
  return error;
}

/** Converts a Redis error to a `MillraceError`. */
export function explain(error: unknown, doing: string, where: string, code: ErrorCode = 'sink'): MillraceError {
  if (error instanceof MillraceError) return error;
  const text = messageOf(error);
  const reading = code !== 'sink' && forbidden.test(text);
  const hint = reading ? MAY_READ : hints.find(([pattern]) => pattern.test(text))?.[1];
  const refused = error instanceof Refusal;
  const tls = where.startsWith('rediss:') ? ' By TLS? A server without it stays silent.' : '';
  const unreachable = `does Redis answer at ${where}?${tls} \`npm run stack\` starts one; only hashes need none, on the embedded profile`;
  return new MillraceError(code, `${doing}${refused ? `, key ${error.key}` : ''}: ${text}`, {
    where,
    hint: hint ?? (isPassing(error) ? unreachable : 'the message comes from Redis'),
    permanent: permanent.test(text) || forbidden.test(text) || (refused && !isPassing(error) && !full.test(text)),
    cause: withoutCommand(error),
  });
}
