import { describe, expect, it } from 'vitest';
import { type DebeziumEvent, fromDebezium } from '../../../src/operators/index.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const samplesOf = (values: readonly unknown[], input = 0) =>
  values.map((value, i) => ({ value, input, eventTimeMs: i }));

describe('fromDebezium', () => {
  interface Row {
    readonly id: number;
    readonly name: string;
  }
  const operator = fromDebezium<Row>({ key: ({ id }) => String(id) });
  const row = (id: number, name = 'x'): Row => ({ id, name });
  const events: DebeziumEvent<Row>[] = [
    { op: 'r', after: row(1), before: null },
    { op: 'c', after: row(2), before: null },
    { op: 'u', before: row(2), after: row(2, 'y') },
    { op: 'u', before: row(2, 'y'), after: row(3, 'y') },
    { op: 'd', before: row(1), after: null },
    { op: 'm' },
    { op: 'd', before: null },
    { op: 't' },
    { op: '?' },
    { op: 'c', after: null },
  ];

  it('keeps the operator contract', () => checkOperator(operator, samplesOf(events)));

  it('makes upserts of snapshots, inserts, updates (of keys too) and deletes, and says what it cannot', () => {
    const { emitted, deadLetters } = driveOperator(operator, samplesOf(events));
    expect(emitted.map(({ value }) => value)).toEqual([
      { key: '1', value: row(1) },
      { key: '2', value: row(2) },
      { key: '2', value: row(2, 'y') },
      { key: '2', value: null },
      { key: '3', value: row(3, 'y') },
      { key: '1', value: null },
    ]);
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([
      ['no-row', 6],
      ['truncated-table', 7],
      ['strange-op', 8],
      ['no-row', 9],
    ]);
  });

  it('takes the envelope of the JSON converter too', () => {
    const wrapped = { schema: {}, payload: events[0] } as unknown as DebeziumEvent<Row>;
    expect(driveOperator(operator, samplesOf([wrapped])).emitted[0]?.value).toEqual({ key: '1', value: row(1) });
  });
});
