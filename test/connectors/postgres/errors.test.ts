import { describe, expect, it } from 'vitest';
import { explain, isPassing, isUnrepresentable } from '../../../connectors/postgres/errors.js';
import { MillraceError } from '../../../src/core/errors.js';

const coded = (code: string, message = 'words') => Object.assign(new Error(message), { code });

/** States of SQL (https://www.postgresql.org/docs/current/errcodes-appendix.html): whether they pass or stay, and a word of the hint. */
const states: readonly (readonly [code: string, name: string, is: 'passes' | 'stays' | '', hint: string])[] = [
  ['08006', 'connection_failure', 'passes', 'does Postgres answer'],
  ['0A000', 'feature_not_supported', 'stays', 'comes from Postgres'],
  ['21000', 'cardinality_violation', 'stays', 'the types that the table has'],
  ['22001', 'string_data_right_truncation', 'stays', 'does not fit'],
  ['22P02', 'invalid_text_representation', 'stays', 'does not fit'],
  ['23505', 'unique_violation', 'stays', 'a constraint'],
  ['25006', 'read_only_sql_transaction', 'passes', 'a standby'],
  ['25P03', 'idle_in_transaction_session_timeout', 'passes', 'does Postgres answer'],
  ['25001', 'active_sql_transaction', '', 'comes from Postgres'],
  ['28P01', 'invalid_password', 'stays', 'user and password'],
  ['3D000', 'invalid_catalog_name', 'stays', 'create the database'],
  ['3F000', 'invalid_schema_name', 'stays', 'comes from Postgres'],
  ['40001', 'serialization_failure', 'passes', 'does Postgres answer'],
  ['40P01', 'deadlock_detected', 'passes', 'does Postgres answer'],
  ['40002', 'transaction_integrity_constraint_violation', '', 'comes from Postgres'],
  ['42501', 'insufficient_privilege', 'stays', 'CREATE on the schema'],
  ['42P10', 'invalid_column_reference', 'stays', 'no unique constraint'],
  ['42P01', 'undefined_table', 'stays', 'comes from Postgres'],
  ['53300', 'too_many_connections', 'passes', 'no connections, memory or disk'],
  ['54000', 'program_limit_exceeded', 'stays', 'a digest instead of a longer key'],
  ['55P03', 'lock_not_available', 'passes', 'does Postgres answer'],
  ['57014', 'query_canceled', 'passes', 'does Postgres answer'],
  ['57P03', 'cannot_connect_now', 'passes', 'does Postgres answer'],
  ['58030', 'io_error', '', 'comes from Postgres'],
];

describe("Postgres's errors", () => {
  it.each(states.map(([code, name, is, hint]) => ({ code, name, is, hint })))(
    '$code $name: $is',
    ({ code, is, hint }) => {
      const error = coded(code);
      const told = explain(error, 'cannot write', 'postgres://db');
      expect([isPassing(error), told.permanent]).toEqual([is === 'passes', is === 'stays']);
      expect(told).toMatchObject({ code: 'sink', where: 'postgres://db', message: `cannot write: words (${code})` });
      expect(told.hint).toContain(hint);
    },
  );

  it('of a connection pass', () => {
    for (const name of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])
      expect([name, isPassing(coded(name))]).toEqual([name, true]);
    for (const message of [
      'Connection terminated unexpectedly',
      'timeout expired',
      'Client has encountered a connection error and is not queryable',
    ])
      expect([message, isPassing(new Error(message))]).toEqual([message, true]);
    expect([new Error('odd'), null, coded('EACCES')].map(isPassing)).toEqual([false, false, false]);
    expect(explain(new Error('timeout expired'), 'cannot ask', 'postgres://db', 'lookup')).toMatchObject({
      ...{
        code: 'lookup',
        permanent: false,
        message: 'cannot ask: timeout expired',
        hint: 'does Postgres answer at postgres://db?',
      },
    });
  });

  it('show no value that does not fit', () => {
    const told = explain(
      coded('22P02', 'invalid input syntax for type integer: "secret "quoted""'),
      'cannot write',
      'db',
    );
    expect([told.message, told.cause]).toEqual([
      'cannot write: invalid input syntax for type integer: "..." (22P02)',
      undefined,
    ]);
    const other = coded('42P01', 'relation "out" does not exist');
    expect(explain(other, 'cannot write', 'db')).toMatchObject({
      message: 'cannot write: relation "out" does not exist (42P01)',
      cause: other,
    });
    expect([coded('22001'), coded('23505'), null].map(isUnrepresentable)).toEqual([true, false, false]);
    const own = new MillraceError('config', 'own', {});
    expect(explain(own, 'cannot write', 'db')).toBe(own);
  });
});
