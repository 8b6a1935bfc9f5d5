import { MillraceError, messageOf } from '../../src/core/errors.js';
import {
  getInHalves,
  type Lookup,
  type LookupAnswer,
  type LookupReader,
  MISSING,
  readAnswer,
} from '../../src/core/lookup.js';
import { type Engine, parseRows } from './engine/engine.js';
import { codeOf, explain, isPassing } from './errors.js';
import type { RowsOptions } from './kinds.js';

/** Keys per statement: they are sent as a URL parameter, and a server accepts URLs up to about a megabyte. */
const KEYS_MAX = 2_000;

/** ClickHouse's errors for a key that is not of its column's type. */
const badKey = new Set([
  6, // CANNOT_PARSE_TEXT
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  69, // ARGUMENT_OUT_OF_BOUND
  72, // CANNOT_PARSE_NUMBER
  130, // CANNOT_READ_ARRAY_FROM_TEXT
  376, // CANNOT_PARSE_UUID
  457, // BAD_QUERY_PARAMETER
  675, // CANNOT_PARSE_IPV4
  676, // CANNOT_PARSE_IPV6
]);

/** Reads rows for a lookup; each request is tried once, since the step retries. */
export function clickHouseReader(engine: Engine, lookup: Lookup<unknown>): LookupReader {
  const { sql, key, keyType, decode } = lookup.options as RowsOptions;
  const parameter = parameterOf(keyType);

  const getAll = async (keys: readonly string[], signal: AbortSignal): Promise<readonly LookupAnswer[] | string> => {
    let text: string;
    try {
      text = await engine.query(sql, { keys: keys.map(parameter) }, signal);
    } catch (error) {
      if (badKey.has(codeOf(error) ?? -1)) return messageOf(error).split('\n')[0] ?? '';
      throw failureOf(error, engine.where);
    }
    const found = new Map(parseRows<Record<string, unknown>>(text).map(({ [key]: name, ...row }) => [name, row]));
    return keys.map((name) => {
      const row = found.get(String(parameter(name)));
      return row === undefined ? MISSING : readAnswer(() => (decode ? decode(row) : row));
    });
  };

  return {
    keysMax: KEYS_MAX,
    async get(keys, signal) {
      // A key that is not a number cannot be passed as one.
      const valid = keys.filter((name) => parameter(name) !== undefined);
      const answers = valid.length > 0 ? await getInHalves(valid, (some) => getAll(some, signal)) : [];
      const byKey = new Map(valid.map((name, i) => [name, answers[i] as LookupAnswer]));
      return keys.map((name) => byKey.get(name) ?? { kind: 'refused', detail: `no ${keyType}` });
    },
    async ping() {
      await engine.query('SELECT 1', {});
    },
    close: async () => undefined, // the profile closes the engine
  };
}

/**
 * What ClickHouse itself says is an error of the statement and permanent, unless a retry may resolve it. An error without its code
 * comes from the network or from a proxy, and stays temporary.
 */
function failureOf(error: unknown, where: string): MillraceError {
  const explained = explain(error, 'cannot look up', where, 'lookup');
  if (codeOf(error) === undefined || isPassing(error)) return explained;
  const { message, hint = 'the message comes from ClickHouse' } = explained;
  return new MillraceError('lookup', message, { where, hint, permanent: true, cause: error });
}

type Parameter = (key: string) => string | bigint | number | undefined;

/** The form of a key in a parameter of its type, and in ClickHouse's results: numbers bare, other types as text. */
function parameterOf(keyType: string): Parameter {
  const [, unsigned, bits] = /^(U?)Int(\d+)$/.exec(keyType) ?? [];
  if (bits !== undefined) {
    const narrowed = unsigned ? BigInt.asUintN : BigInt.asIntN;
    return (key) =>
      /^-?\d+$/.test(key) && narrowed(Number(bits), BigInt(key)) === BigInt(key) ? BigInt(key) : undefined;
  }
  if (/^(Float|Decimal)/.test(keyType))
    return (key) => (/\d/.test(key) && !Number.isNaN(Number(key)) ? Number(key) : undefined);
  if (keyType === 'UUID') return (key) => key.toLowerCase();
  return (key) => key;
}
