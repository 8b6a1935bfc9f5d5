import { afterAll, beforeAll, describe, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { Sink } from '../../../src/core/index.js';
import { hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { withMaps } from '../../../src/util/json-text.js';
import { memoryLedgers } from './memory-ledgers.js';

/** Text as `String` has it: of what is no text its JSON, of bytes the bytes as UTF-8 reads them. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (name, each) => (typeof each === 'bigint' ? String(each) : withMaps(name, each)));
}

const orNull = (of: (value: unknown) => unknown) => (value: unknown) =>
  value === null || value === undefined ? null : of(value);
/** JSON has no names for these numbers. */
const float = (value: unknown): unknown =>
  Number.isFinite(value) ? value : String(value).toLowerCase().replace('infinity', 'inf');
const entriesOf = (value: unknown) => (value instanceof Map ? [...value] : Object.entries(value as object));

/** By type: something that it is meant for, and what a reader finds of what it takes. */
type Column = [type: string, plain: unknown, stored: (value: unknown) => unknown, sql?: string];
const columns: Column[] = [
  ['String', 'plain', textOf],
  ['Nullable(String)', 'plain', orNull(textOf)],
  ['Int64', 7, (value) => String(BigInt(value as number)), 'toString(v)'],
  ['UInt8', 7, (value) => Number(value) || 0],
  ['Nullable(Float64)', 1.5, orNull(float), 'v'],
  [
    'Nullable(DateTime64(3))',
    7,
    orNull((value) => (typeof value === 'bigint' ? String(value / 1_000n) : String(Math.floor(Number(value))))),
    'toString(toUnixTimestamp64Milli(v))',
  ],
  ['Bool', true, Boolean],
  ['Nullable(Decimal(30, 3))', 7, orNull(String), 'toString(v)'],
  ['Array(String)', ['plain'], (value) => [...(value as Iterable<unknown>)].map(textOf)],
  [
    'Map(String, String)',
    { a: 'plain' },
    (value) => Object.fromEntries(entriesOf(value).map(([name, each]) => [name, textOf(each)])),
  ],
];

/** Every type takes or refuses each hostile value. Asked of a server and of the engine in this process. */
export function hostileSuite(options: () => ClickHouseOptions): void {
  let db: ClickHouse;
  let made = 0;
  beforeAll(async () => {
    db = await openClickHouse(options());
  });
  afterAll(() => db?.close());

  describe.each<Column>(columns)('hostile values in %s', (type, plain, stored, sql = 'v') => {
    const checks = hostileValuesContract(async () => {
      const table = `hostile_${Date.now().toString(36)}_${process.pid}_${made++}`;
      return {
        driver: db.tableSink,
        sink: clickhouse.tableSink<Record<string, unknown>>({
          table,
          columns: { n: 'UInt32', v: type },
        }) as Sink<unknown>,
        openLedger: memoryLedgers(),
        row: (n, v) => ({ n, v }),
        plain,
        async read() {
          const query = `SELECT n, ${sql} AS v FROM ${table} SETTINGS output_format_json_quote_denormals = 1`;
          return new Map((await db.query<{ n: number; v: unknown }>(query)).map(({ n, v }) => [n, v]));
        },
        stored,
        close: async () => undefined,
      };
    });
    for (const { name, run } of checks) it(name, run);
  });
}
