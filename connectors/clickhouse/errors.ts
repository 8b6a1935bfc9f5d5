import { type ErrorCode, MillraceError, messageOf } from '../../src/core/errors.js';

/** ClickHouse's error code, wherever the transport stores it. */
export function codeOf(error: unknown): number | undefined {
  const { code, clickhouseCode } = (error ?? {}) as { code?: unknown; clickhouseCode?: unknown };
  const number = Number(clickhouseCode ?? code);
  return Number.isInteger(number) ? number : undefined;
}

const busy = new Map([
  [159, 'TIMEOUT_EXCEEDED'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  [209, 'SOCKET_TIMEOUT'],
  [210, 'NETWORK_ERROR'],
  [236, 'ABORTED'],
  [241, 'MEMORY_LIMIT_EXCEEDED'],
  [242, 'TABLE_IS_READ_ONLY'],
  [252, 'TOO_MANY_PARTS'],
  [425, 'SYSTEM_ERROR'],
  [999, 'KEEPER_EXCEPTION'],
]);
const broken =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|socket hang up|Timeout error/i;

/** Whether a retry may succeed: the connection was lost, or the server is busy or starting. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return busy.has(code);
  const { code: name } = (error ?? {}) as { code?: unknown };
  return broken.test(`${String(name)} ${messageOf(error)}`);
}

/** Whether processes that set up a table at the same time may have collided. */
export const isCollision = (error: unknown): boolean => [57, 60, 517].includes(codeOf(error) ?? 0); // (un)known table; a change in progress

/** Errors that stay until somebody changes something. */
const permanent = new Set([
  6, // CANNOT_PARSE_TEXT
  16, // NO_SUCH_COLUMN_IN_TABLE
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  36, // BAD_ARGUMENTS
  44, // ILLEGAL_COLUMN
  50, // UNKNOWN_TYPE
  53, // TYPE_MISMATCH
  60, // UNKNOWN_TABLE
  62, // SYNTAX_ERROR
  72, // CANNOT_PARSE_NUMBER
  80, // INCORRECT_QUERY
  81, // UNKNOWN_DATABASE
  117, // INCORRECT_DATA
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  450, // BAD_TTL_EXPRESSION
  455, // SUSPICIOUS_TYPE_FOR_LOW_CARDINALITY
  469, // VIOLATED_CONSTRAINT
  478, // UNKNOWN_POLICY
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
]);

const hints = new Map([
  [50, 'give each column a type that ClickHouse has, such as String, Float64 or DateTime64(3)'],
  [62, 'correct the SQL where it says'],
  [
    60,
    'the table does not exist: `SHOW TABLES` lists those that do; a running topology needs a restart if it was dropped',
  ],
  [81, 'the database does not exist: create it, or name another one in the URL'],
  [164, 'the statement may only read tables: `millrace query --write` lets it do more'],
  [193, 'user or password is wrong: check the URL'],
  [194, 'user or password is missing: add them to the URL'],
  [241, 'the statement exceeds its memory limit: read less, or raise `max_memory_usage`'],
  [469, 'a constraint of the table refuses the row: filter such values before the sink, or change the constraint'],
  [252, 'merges are too slow: use fewer tasks, for fewer and larger inserts'],
  [450, "`ttl` names what there is not: a disk, or a volume of the table's `storagePolicy`"],
  [
    478,
    "`storagePolicy` is of the server's configuration: `SELECT policy_name FROM system.storage_policies` lists them",
  ],
  [497, 'the user lacks a grant that the message names'],
  [516, 'user or password is wrong: check the URL'],
]);

/** Converts an engine error to a `MillraceError`; one that is one already is returned. */
export function explain(error: unknown, doing: string, where: string, as: ErrorCode = 'sink'): MillraceError {
  if (error instanceof MillraceError) return error;
  const code = codeOf(error);
  const text = withoutValues(messageOf(error).split('\n')[0]?.trim() ?? '');
  const hint =
    code === UNKNOWN_TABLE && as !== 'sink'
      ? NO_TABLE
      : code !== undefined
        ? hints.get(code)
        : isPassing(error)
          ? unreachable(where)
          : undefined;
  return new MillraceError(as, `${doing}: ${text}${code === undefined ? '' : ` (ClickHouse error ${code})`}`, {
    where,
    ...(hint ? { hint } : {}),
    permanent: code !== undefined && permanent.has(code),
    cause: code === VIOLATED_CONSTRAINT ? undefined : error, // its message would be printed as well
  });
}

const VIOLATED_CONSTRAINT = 469;
const UNKNOWN_TABLE = 60;
/** A table that is read is created by others. */
const NO_TABLE = 'is the name right, and the database that the URL names?';

/** ClickHouse repeats the row in the message of a constraint; the row may contain what logs must not show. */
const withoutValues = (text: string): string => text.replace(/ Column values: .*$/s, '');

const unreachable = (where: string) => `check that ClickHouse answers at ${where}; \`npm run stack\` starts one`;
