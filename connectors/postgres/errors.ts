import { type ErrorCode, MillraceError, messageOf } from '../../src/core/errors.js';

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

const broken =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|Connection terminated|timeout|not queryable/i;
/**
 * Classes and codes of SQLSTATE that pass: connection, resources, operator intervention, serialization, deadlock, locks, a
 * read-only server.
 */
const later = /^(08|53|57P|40001|40P01|55P03|25P03|25006|57014)/;
/** Classes of SQLSTATE that stay: wrong data, missing rights, limits of the server. */
const permanent = /^(21|22|23|28|3D|3F|42|54|0A)/;

/** Whether a retry may succeed. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (/^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code)) return later.test(code);
  return broken.test(`${code} ${messageOf(error)}`);
}

/** Postgres cannot represent a value, here a key. */
export const isUnrepresentable = (error: unknown): boolean => codeOf(error).startsWith('22');

const hints: readonly (readonly [RegExp, string])[] = [
  [/^21/, 'keys that differ in their declared type are equal in the table: declare the types that the table has'],
  [/^28/, 'give user and password in the URL: postgres://user:password@host:5432/database'],
  [/^3D/, 'create the database, or name another one in the URL'],
  [/^42501/, 'the user needs CREATE on the schema, and SELECT, INSERT and UPDATE on the table and on millrace_fences'],
  [/^42P10/, 'the table has no unique constraint on the key: add one'],
  [/^22/, 'the value does not fit the type of its column: change the type, or what is emitted'],
  [/^23/, 'a constraint of the table refuses the row: filter such values before the sink, or change the constraint'],
  [/^25006/, 'the server, or the database, is read-only: is this a standby?'],
  [/^54/, 'a limit of Postgres, such as 2,704 bytes for a key: write a digest instead of a longer key'],
  [/^53/, 'Postgres has no connections, memory or disk left'],
];

/** Postgres quotes the value in its message; this removes it. */
const withoutValue = (error: unknown): string =>
  isUnrepresentable(error) ? messageOf(error).replace(/".*"/s, '"..."') : messageOf(error);

/** Converts a Postgres error to a `MillraceError`, without the row, which may contain what logs must not show. */
export function explain(error: unknown, doing: string, where: string, kind: ErrorCode = 'sink'): MillraceError {
  if (error instanceof MillraceError) return error;
  const code = codeOf(error);
  const known = hints.find(([pattern]) => pattern.test(code))?.[1];
  const unreachable = `does Postgres answer at ${where}?`;
  return new MillraceError(kind, `${doing}: ${withoutValue(error)}${code === '' ? '' : ` (${code})`}`, {
    where,
    hint: known ?? (isPassing(error) ? unreachable : 'the message comes from Postgres'),
    permanent: permanent.test(code),
    cause: isUnrepresentable(error) ? undefined : error, // its message would be printed as well
  });
}
