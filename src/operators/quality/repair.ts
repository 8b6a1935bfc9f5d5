import { type Adds, type Origin, type Splitter, split } from '../../core/index.js';
import { comparableText } from '../../util/json-text.js';
import type { Repairs } from './repairs.js';

/** One thing that was repaired, as a row for a table. */
export interface RepairRow {
  readonly field: string;
  /** As text; what is no scalar as JSON, and `null` where there was nothing. */
  readonly from: string | null;
  readonly to: string | null;
  readonly rule: string;
  /** The step that repaired it. */
  readonly step: string;
  /** The record that it was in. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly eventTime: number;
}

/** The columns of a ClickHouse table of repairs. */
export const repairColumns = Object.freeze({
  field: 'LowCardinality(String)',
  from: 'Nullable(String)',
  to: 'Nullable(String)',
  rule: 'LowCardinality(String)',
  step: 'LowCardinality(String)',
  topic: 'LowCardinality(String)',
  partition: 'UInt32',
  offset: 'UInt64',
  eventTime: 'DateTime64(3)',
}) satisfies Readonly<Record<keyof RepairRow, string>>;

/** Every record, repaired where it had to be; and a row for each thing that was. */
interface Repaired {
  readonly repaired: Adds<unknown>;
  readonly repairs: RepairRow;
}

/**
 * Repairs records by rules (units, aliases, spelling, your own), and lists each change in a second output, the trail.
 *
 * @example
 * const { repaired, repairs: trail } = readings.split('repair', repair(readingRepairs));
 * trail.to('repairs', clickhouse.tableSink({ table: 'repairs', columns: repairColumns, orderBy: ['field', 'eventTime'] }));
 * repaired.via('validate', validate(readingExpectations));
 *
 * Guarantees: every record is emitted by `repaired`, in order; a record without a change is the same value. A rule gets the result of the
 * rules before it. Each change of a field is a row of the trail, so the received record can be restored from it. A rule that returns the
 * same value (also NaN for NaN) has changed nothing. A rule that would have to guess (two words equally near, two units equally likely)
 * changes nothing: use `validate` after it.
 *
 * Counters: `repaired` (records), `repairs` (changes). The trail contains values of records, so mask personal data before (see `maskPii`).
 * Memory: the words and aliases.
 */
export function repair<T>({ rules }: Repairs<T>): Splitter<T, Repaired> {
  return split<T, Repaired>({
    kind: 'repair',
    settings: { rules: rules.map(({ text }) => text).join('; ') },
    problems: [
      ...rules.flatMap(({ problems }) => problems),
      ...(rules.length > 0 ? [] : [{ message: 'there are no rules', hint: 'declare at least one rule' }]),
    ],
    outputs: ['repaired', 'repairs'],
    open(context) {
      const opened = rules.map((rule) => ({ name: rule.name, apply: rule.open() }));
      const [records, changes] = [context.counter('repaired'), context.counter('repairs')];
      return (value, emit, origin) => {
        let record = value as Readonly<Record<string, unknown>>;
        const trail: RepairRow[] = [];
        for (const { name, apply } of opened) {
          const changed = Object.entries(apply(record) ?? {}).filter(([field, to]) => !Object.is(record[field], to));
          if (changed.length === 0) continue;
          for (const [field, to] of changed) trail.push(rowOf(field, record[field], to, name, context.step, origin));
          record = Object.assign({}, record, Object.fromEntries(changed));
        }
        if (trail.length > 0) {
          records.add();
          changes.add(trail.length);
        }
        emit(0, record as never);
        for (const row of trail) emit(1, row);
      };
    },
  });
}

function rowOf(field: string, from: unknown, to: unknown, rule: string, step: string, origin: Origin): RepairRow {
  const { topic, partition, offset, eventTimeMs } = origin;
  return { field, from: asText(from), to: asText(to), rule, step, topic, partition, offset, eventTime: eventTimeMs };
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? comparableText(value) : String(value);
}
