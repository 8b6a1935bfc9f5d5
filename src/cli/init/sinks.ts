import { columnTypeOf } from '../../../connectors/clickhouse/table/schema-columns.js';
import { JSON_VALUE, orNull, type Shape } from '../../schema/shape/shape.js';
import { type Imports, objectText, quoted } from './code.js';
import type { TargetKind } from './places.js';
import type { Plan } from './plan.js';
import type { Result, ResultField } from './results.js';
import { textKey } from './samples/fields-text.js';

interface Given {
  readonly result: Result;
  /** A name that was given for the topic, table, folder or URL; empty where none was. */
  readonly name: string;
  readonly plan: Plan;
  readonly imports: Imports;
  readonly indent: string;
}

/** A sink as a topology has it. */
export const sinkText = (kind: TargetKind, given: Given): string => sinkTexts[kind](given);

/** What a place is called by default: `orders.counted`, with the mark that such names are divided by. */
const placeName = ({ plan: { name }, result: { called } }: Pick<Given, 'plan' | 'result'>, mark: string) =>
  `${name}${mark}${called}`;

export const topicName = (given: Given): string => given.name || `${placeName(given, '.')}.v1`;
export const tableName = (given: Given): string =>
  given.name || placeName(given, '_').replaceAll(/[^A-Za-z0-9_]/g, '_');

const sinkTexts: Readonly<Record<TargetKind, (given: Given) => string>> = {
  kafka(given) {
    const { result, imports, indent } = given;
    imports.add('millrace/connectors/kafka', 'kafka');
    const schema = result.schema?.value ?? json('json', given);
    const options: [string, string][] = [
      ['topic', quoted(topicName(given))],
      ['schema', schema],
      ['key', keyOf(given)],
    ];
    return `kafka.sink(${objectText(options, indent)})`;
  },
  clickhouse(given) {
    const { result, imports, indent } = given;
    imports.add('millrace/connectors/clickhouse', 'clickhouse');
    const fields = columnsOf(result);
    const order =
      fields.find(({ isTime, optional }) => isTime && !optional) ?? fields.find(({ optional }) => !optional);
    const options: [string, string][] = [
      ['table', quoted(tableName(given))],
      ['columns', columnsText(fields, clickhouseType, indent)],
      ...(order === undefined ? [] : ([['orderBy', `[${quoted(order.name)}]`]] as [string, string][])),
    ];
    return `clickhouse.tableSink(${objectText(options, indent)})`;
  },
  redis(given) {
    const { name, imports, indent } = given;
    imports.add('millrace/connectors/redis', 'redis');
    imports.add('millrace', 'days');
    const key = keyOf(given, `${name || placeName(given, ':')}:`);
    return `redis.hashSink(${objectText(
      [
        ['key', key],
        ['ttl', 'days(7)'],
      ],
      indent,
    )})`;
  },
  file(given) {
    const { name, imports, indent, result } = given;
    imports.add('millrace/connectors/file', 'file');
    const rows: [string, string][] =
      result.schema?.format === 'csv'
        ? [
            ['schema', result.schema.value],
            ['header', 'true'],
          ]
        : [['schema', json('ndjson', given)]];
    return `file.sink(${objectText([['folder', quoted(name || `out/${placeName(given, '-')}`)], ...rows], indent)})`;
  },
  postgres(given) {
    const { result, imports, indent } = given;
    imports.add('millrace/connectors/postgres', 'postgres');
    const fields = columnsOf(result);
    const identity = result.identity
      .filter((name) => fields.some((field) => field.name === name))
      .map(quoted)
      .join(', ');
    const options: [string, string][] = [
      ['table', quoted(tableName(given))],
      ['columns', columnsText(fields, postgresType, indent)],
      ...(identity === '' ? [] : ([['key', `[${identity}]`]] as [string, string][])),
    ];
    return `postgres.tableSink(${objectText(options, indent)})`;
  },
  webhook(given) {
    const { name, imports, indent, plan } = given;
    imports.add('millrace/connectors/http', 'http');
    const options: [string, string][] = [
      ['url', quoted(name || `http://127.0.0.1:9000/${plan.name}`)],
      ['key', keyOf(given)],
    ];
    return `http.webhookSink(${objectText(options, indent)})`;
  },
};

function json(maker: 'json' | 'ndjson', { imports, result }: Given): string {
  imports.add('millrace', maker);
  return `${maker}<${result.type}>()`;
}

function keyOf({ result }: Given, prefix = ''): string {
  const key = textKey('row', result.key);
  return `(row) => ${prefix === '' ? key : `\`${prefix}\${${key.replace(/^String\((.*)\)$/, '$1')}}\``}`;
}

/** Fields that a column can hold, and whose name every table takes. */
const columnsOf = ({ fields }: Result): readonly ResultField[] =>
  fields.filter(({ name, holds }) => holds !== 'other' && /^[A-Za-z_]\w*$/.test(name));

const columnsText = (fields: readonly ResultField[], typeOf: (field: ResultField) => string, indent: string): string =>
  objectText(
    fields.map((field) => [field.name, quoted(typeOf(field))]),
    `${indent}  `,
  );

/** What a column has to hold; that it may be null is said elsewhere. */
function shapeOf({ holds, isTime }: ResultField): Shape {
  if (isTime || holds === 'date') return { kind: 'time', unit: 'millis' };
  if (holds === 'number') return { kind: 'float', bits: 64 };
  return holds === 'other' ? JSON_VALUE : { kind: holds };
}

const clickhouseType = (field: ResultField): string =>
  columnTypeOf(field.optional ? orNull(shapeOf(field)) : shapeOf(field)).type;

const postgresTypes: Partial<Record<Shape['kind'], string>> = {
  boolean: 'boolean',
  float: 'double precision',
  text: 'text',
  time: 'timestamptz',
};
const postgresType = (field: ResultField): string => postgresTypes[shapeOf(field).kind] ?? 'jsonb';
