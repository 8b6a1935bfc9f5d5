import { describe, expect, it } from 'vitest';
import { codeOf, explain, isCollision, isPassing } from '../../../connectors/clickhouse/errors.js';
import { MillraceError } from '../../../src/core/errors.js';

const coded = (code: number | string, message = 'words') => Object.assign(new Error(message), { code });
const named = (code: string) => Object.assign(new Error('lost'), { code });

/** What ClickHouse's errors are to who writes: they pass, they stay, or neither is known. With a word of the hint. */
const errors: readonly (readonly [code: number, name: string, is: 'passes' | 'stays' | '', hint?: string])[] = [
  [6, 'CANNOT_PARSE_TEXT', 'stays'],
  [16, 'NO_SUCH_COLUMN_IN_TABLE', 'stays'],
  [25, 'CANNOT_PARSE_ESCAPE_SEQUENCE', 'stays'],
  [26, 'CANNOT_PARSE_QUOTED_STRING', 'stays'],
  [27, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED', 'stays'],
  [36, 'BAD_ARGUMENTS', 'stays'],
  [44, 'ILLEGAL_COLUMN', 'stays'],
  [50, 'UNKNOWN_TYPE', 'stays', 'Float64'],
  [53, 'TYPE_MISMATCH', 'stays'],
  [57, 'TABLE_ALREADY_EXISTS', ''],
  [60, 'UNKNOWN_TABLE', 'stays', 'does not exist'],
  [62, 'SYNTAX_ERROR', 'stays', 'correct the SQL'],
  [72, 'CANNOT_PARSE_NUMBER', 'stays'],
  [80, 'INCORRECT_QUERY', 'stays'],
  [81, 'UNKNOWN_DATABASE', 'stays', 'create it'],
  [117, 'INCORRECT_DATA', 'stays'],
  [159, 'TIMEOUT_EXCEEDED', 'passes'],
  [164, 'READONLY', '', '--write'],
  [193, 'WRONG_PASSWORD', 'stays', 'is wrong'],
  [194, 'REQUIRED_PASSWORD', 'stays', 'is missing'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'passes'],
  [209, 'SOCKET_TIMEOUT', 'passes'],
  [210, 'NETWORK_ERROR', 'passes'],
  [236, 'ABORTED', 'passes'],
  [241, 'MEMORY_LIMIT_EXCEEDED', 'passes', 'max_memory_usage'],
  [242, 'TABLE_IS_READ_ONLY', 'passes'],
  [252, 'TOO_MANY_PARTS', 'passes', 'fewer tasks'],
  [349, 'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN', 'stays'],
  [425, 'SYSTEM_ERROR', 'passes'],
  [450, 'BAD_TTL_EXPRESSION', 'stays', '`ttl`'],
  [455, 'SUSPICIOUS_TYPE_FOR_LOW_CARDINALITY', 'stays'],
  [469, 'VIOLATED_CONSTRAINT', 'stays', 'a constraint'],
  [478, 'UNKNOWN_POLICY', 'stays', 'storagePolicy'],
  [497, 'ACCESS_DENIED', 'stays', 'a grant'],
  [516, 'AUTHENTICATION_FAILED', 'stays', 'is wrong'],
  [517, 'CANNOT_ASSIGN_ALTER', ''],
  [999, 'KEEPER_EXCEPTION', 'passes'],
  [1_000, 'POCO_EXCEPTION', ''],
];

describe("ClickHouse's errors", () => {
  it.each(errors.map(([code, name, is, hint]) => ({ code, name, is, hint })))(
    '$code $name: $is',
    ({ code, is, hint }) => {
      const error = coded(code);
      const told = explain(error, 'cannot write', 'http://db');
      expect([isPassing(error), told.permanent]).toEqual([is === 'passes', is === 'stays']);
      expect(told).toMatchObject({
        code: 'sink',
        where: 'http://db',
        message: `cannot write: words (ClickHouse error ${code})`,
      });
      if (hint === undefined) expect(told.hint).toBeUndefined();
      else expect(told.hint).toContain(hint);
    },
  );

  it('have their codes where the transport keeps them', () => {
    expect(
      [coded('241'), { clickhouseCode: 60, code: 'ERR' }, named('ECONNRESET'), null, 'text', {}].map(codeOf),
    ).toEqual([...[241, 60, undefined, undefined, undefined, undefined]]);
  });

  it('of a connection pass, and say where to look', () => {
    const names = 'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN';
    for (const name of names.split(' ')) expect([name, isPassing(named(name))]).toEqual([name, true]);
    for (const message of ['socket hang up', 'Timeout error.']) expect(isPassing(new Error(message))).toBe(true);
    expect([isPassing(new Error('odd')), isPassing(null)]).toEqual([false, false]);
    expect(explain(named('ECONNREFUSED'), 'cannot ask', 'http://db', 'lookup')).toMatchObject({
      ...{ code: 'lookup', permanent: false, message: 'cannot ask: lost', hint: expect.stringContaining('http://db') },
    });
    expect(explain(new Error('odd'), 'cannot ask', 'http://db').hint).toBeUndefined();
  });

  it('of two processes that set up a table at once are told from others', () => {
    expect(errors.filter(([code]) => isCollision(coded(code))).map(([code]) => code)).toEqual([57, 60, 517]);
    expect(isCollision(new Error('lost'))).toBe(false);
  });

  it('of a table that is read ask for its name', () => {
    expect(explain(coded(60), 'cannot read', 'http://db', 'source').hint).toContain('is the name right');
  });

  it('show one line and no values of a row', () => {
    const violated = coded(469, 'Constraint `positive` is violated. Column values: secret = 7\nStack trace: secret');
    const told = explain(violated, 'cannot write', 'http://db');
    expect([told.message, told.cause]).toEqual([
      'cannot write: Constraint `positive` is violated. (ClickHouse error 469)',
      undefined,
    ]);
    const other = coded(62, ' one line \nand another');
    expect(explain(other, 'cannot write', 'http://db')).toMatchObject({
      message: 'cannot write: one line (ClickHouse error 62)',
      cause: other,
    });
    const own = new MillraceError('config', 'own', {});
    expect(explain(own, 'cannot write', 'http://db')).toBe(own);
  });
});
