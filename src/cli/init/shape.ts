import { join, relative, resolve } from 'node:path';
import { filesOf } from '../../../connectors/file/listing.js';
import { rowsOfFile } from '../../../connectors/file/rows-of-file.js';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { RegistryFormat, SchemaData, SchemaText } from '../../core/schema.js';
import { csv, json, localRegistry, openCodec, schemaTextOf } from '../../schema/index.js';
import { textsOf } from '../../schema/plain/csv-cells.js';
import { type DateOrder, writtenDate } from '../../schema/plain/dates.js';
import { delimiterOf, inferCsv, type KnownCsv, type WrittenDates } from '../../schema/plain/infer-csv.js';
import { avroFields } from '../../schema/shape/avro.js';
import { type Declaration, declarationsOf } from '../../schema/typescript/index.js';
import { firstMessage, schemaInFile, soundness } from '../schema-file.js';
import { recordName, singular } from './names.js';
import { type Field, fieldsOf, identityOf, likelyTime, type Row } from './samples/fields.js';
import { inferJsonSchema, isRounded } from './samples/infer-json.js';
import { sampleRows } from './samples/samples.js';
import { type SchemaSource, schemaModule } from './schema-module.js';

/** What records look like: their type, where its schema is, and some of them. */
export interface Shape {
  /** Name of the type. */
  readonly record: string;
  /** Name of the schema's value. */
  readonly schema: string;
  /** Path of its module, without an ending. */
  readonly module: string;
  readonly format: SchemaSource['format'];
  readonly fields: readonly Field[];
  /** Of CSV: the first line has the names of the columns. */
  readonly header: boolean;
  readonly rows: readonly Row[];
  /** Whether the rows are synthetic: there is nothing to read before they are produced, unless the schema is registered. */
  readonly synthetic: boolean;
  /** Whether the schema is from the registry: then others write the topic. */
  readonly registered: boolean;
  /** Whether an id or the like tells records apart, as far as one can see. */
  readonly identity: string | undefined;
  /** Files that belong to it, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** What `millrace produce --schema` is given. */
  readonly schemaFile: string | undefined;
  /** How values were read that could be read otherwise, as sentences. */
  readonly notes: readonly string[];
}

export interface ShapeOptions {
  /** What the stream is called: `orders` are made of an `Order`. */
  readonly name: string;
  /** What the registry calls its schema. */
  readonly subject: string;
  /** The folder that is written to. */
  readonly folder: string;
  /** Of CSV: whether the first line has the names of the columns, where it is known. */
  readonly header?: boolean | undefined;
  /** Of CSV: whether the day or the month comes first in dates, where it is known. */
  readonly dates?: DateOrder | undefined;
  /** Whether payloads are plain JSON, whatever the schema: requests are. */
  readonly plain: boolean;
}

const ROWS_READ = 1_000;
const ROWS_MADE_UP = 500;

const endings: Readonly<Record<RegistryFormat, string>> = {
  avro: '.avsc',
  'json-schema': '.schema.json',
  protobuf: '.proto',
};

/** Of the rows in files: what their first thousand rows fit. */
export async function shapeOfFiles(path: string, options: ShapeOptions): Promise<Shape> {
  const [file] = await filesOf(resolve(path));
  if (file === undefined) {
    throw new MillraceError('config', `there is no file ${path}`, { hint: 'paths are relative to the current folder' });
  }
  return isCsv(file) ? shapeOfCsv(file, options) : shapeOfJson(file, options);
}

const isCsv = (file: string): boolean => /\.(csv|tsv)(\.gz|\.zst)?$/.test(file);

/** Dates as people write them in a CSV file; `undefined` where there are none. */
export async function datesOf(path: string, known: KnownCsv): Promise<WrittenDates | undefined> {
  const [file] = await filesOf(resolve(path));
  return file !== undefined && isCsv(file) ? (await inferredCsv(file, known)).dates : undefined;
}

async function inferredCsv(file: string, known: KnownCsv) {
  const lines = await firstLines(file, csv({ columns: { row: 'text' } }));
  const [first = { text: '', where: file }] = lines;
  const delimiter = delimiterOf(first.text);
  const cells = lines.map((line) => read(line, (text) => textsOf(text, delimiter), rowHint));
  return { lines, delimiter, ...inferCsv(cells, first.where, { ...known, delimiter }) };
}

async function shapeOfCsv(file: string, options: ShapeOptions): Promise<Shape> {
  const { lines, delimiter, header, columns, decimal, dates, nullLiteral } = await inferredCsv(file, options);
  if (dates !== undefined && dates.order === undefined) {
    throw new MillraceError(
      'config',
      `the rows do not tell whether ${dates.cell} in ${dates.column} begins with the day`,
      {
        where: file,
        hint: '--dates dmy: the day is first; --dates mdy: the month is',
      },
    );
  }
  const form = {
    ...{ columns, delimiter },
    ...(decimal && { decimal }),
    ...(dates?.order && { dates: dates.order }),
    ...(nullLiteral && { nullLiteral }),
  };
  const codec = await openCodec(csv(form), localRegistry());
  const decode = (text: string) => codec.decode(Buffer.from(text)) as Row;
  const rows = lines.slice(header ? 1 : 0).map((line) => read(line, decode, rowHint));
  if (rows.length === 0) throw noRows(`${file} has a header and no rows`);
  const types = { text: 'string', number: 'number', boolean: 'boolean', date: 'Date' } as const;
  const members = Object.entries(columns).map(([name, column]) => {
    const type = types[column.replace('?', '') as keyof typeof types];
    return { name, type: column.endsWith('?') ? `${type} | null` : type };
  });
  const declared = [{ name: recordName(options.name), members }];
  const notes = [
    ...(dates?.order
      ? [`${dates.column}: ${dates.cell} is ${writtenDate(dates.cell, dates.order)?.toISOString()} (--dates)`]
      : []),
    ...(decimal ? ['numbers have a decimal comma'] : []),
    ...(nullLiteral ? [`${nullLiteral} is a missing value`] : []),
  ];
  return shape({ format: 'csv', ...form }, declared, options, { rows, header, notes });
}

async function shapeOfJson(file: string, options: ShapeOptions): Promise<Shape> {
  const rows = (await firstLines(file, json())).map(
    (line) => read(line, JSON.parse, 'give one JSON value per line') as Row,
  );
  const record = recordName(options.name);
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: record, ...inferJsonSchema(rows) };
  return inferred(`${JSON.stringify(schema, null, 2)}\n`, options, rows);
}

/** Of an inferred schema, which stands in a file of its own. */
function inferred(text: string, options: ShapeOptions, rows: readonly Row[] | undefined): Shape {
  const file = `${recordFile(options.name)}${endings['json-schema']}`;
  const declared = declarationsOf({ format: 'json-schema', text, references: [] });
  const bare = rows !== undefined || options.plain;
  const source: SchemaSource = { format: 'json-schema', file: `./${file}`, bare };
  return shape(source, declared, options, {
    ...(rows === undefined ? {} : { rows }),
    files: new Map([[`schemas/${file}`, text]]),
    schemaFile: bare ? undefined : `schemas/${file}`,
  });
}

/** Of a schema in a file (`.avsc`, `.proto`, `.json`), or of rows in one. */
export async function shapeOfSchema(path: string, options: ShapeOptions): Promise<Shape> {
  if (/\.(ndjson|jsonl|csv|tsv|parquet)(\.gz|\.zst)?$/.test(path)) {
    const rows = await shapeOfFiles(path, options);
    return { ...rows, synthetic: true };
  }
  const schema = await schemaInFile(path, path);
  await soundness(schema);
  const [file = ''] = path.split('#');
  const from = relative(join(resolve(options.folder), 'schemas'), resolve(file)).replaceAll('\\', '/');
  const toProduce = relative(resolve(options.folder), resolve(file)) + path.slice(file.length);
  const message = (schema.options as { readonly message?: string } | undefined)?.message;
  const at = from.startsWith('.') ? from : `./${from}`;
  return ofText(await schemaTextOf(schema), options, { file: at, message, schemaFile: toProduce, files: new Map() });
}

/** Of the newest schema of a topic's values in the registry; its text is written down. */
export async function shapeOfRegistered(text: SchemaText, options: ShapeOptions): Promise<Shape> {
  if (text.references.length > 0) {
    throw new MillraceError('config', 'the schema in the registry refers to others', {
      hint: 'put the files into one folder and pass --schema FILE',
    });
  }
  const file = `${recordFile(options.name)}${endings[text.format]}`;
  const files = new Map([[`schemas/${file}`, text.text]]);
  const message = text.format === 'protobuf' ? await firstMessage(text.text, options.subject) : undefined;
  const shape = ofText(text, options, { file: `./${file}`, message, schemaFile: `schemas/${file}`, files });
  return { ...shape, registered: true };
}

function ofText(
  text: SchemaText,
  options: ShapeOptions,
  at: {
    readonly file: string;
    readonly message: string | undefined;
    readonly schemaFile: string;
    readonly files: ReadonlyMap<string, string>;
  },
): Shape {
  const { file, message, schemaFile, files } = at;
  const { format } = text;
  // As JSON has no dates, requests have times as numbers.
  const declared = declarationsOf(text, { message, ...(options.plain ? { timestamp: 'number' } : {}) });
  const times = format === 'avro' ? timesIn(text) : new Map<string, string>();
  if (options.plain && format !== 'json-schema') return shape({ format: 'json' }, declared, options, { times });
  const source: SchemaSource = { format, file, message, bare: options.plain };
  return shape(source, declared, options, { files, times, schemaFile: options.plain ? undefined : schemaFile });
}

/** Times as Avro has them, with what they count. */
const timesIn = (text: SchemaText): ReadonlyMap<string, string> =>
  new Map(
    (avroFields(text, { timestamp: 'number' }) ?? []).flatMap(({ name, shape }) => {
      const bare = shape.kind === 'nullable' ? shape.inner : shape;
      return bare.kind === 'time' ? [[name, bare.unit] as const] : [];
    }),
  );

/** Events to begin with where nothing is known of them: a schema to be changed. */
export function shapeToChange(options: ShapeOptions): Shape {
  const text = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: recordName(options.name),
    type: 'object',
    properties: {
      id: { type: 'string' },
      customer: { type: 'string' },
      amount: { type: 'number' },
      accepted: { type: 'boolean' },
      at: { type: 'number', description: 'Milliseconds since 1970.' },
    },
    required: ['id', 'customer', 'amount', 'accepted', 'at'],
  };
  return inferred(`${JSON.stringify(text, null, 2)}\n`, options, undefined);
}

function shape(
  source: SchemaSource,
  declared: readonly Declaration[],
  { name, subject }: ShapeOptions,
  known: Partial<Pick<Shape, 'rows' | 'header' | 'files' | 'schemaFile' | 'notes'>> & {
    readonly times?: ReadonlyMap<string, string>;
  },
): Shape {
  const fields = fieldsOf(declared).map((field) =>
    known.times?.has(field.name)
      ? { ...field, isTimestamp: true, micros: known.times.get(field.name) === 'micros' }
      : field,
  );
  const record = declared.find((one) => 'members' in one)?.name;
  if (record === undefined) {
    throw new MillraceError('config', 'the values are not records with fields', { hint: 'give a schema of a record' });
  }
  const inherited = fields.find(({ name, optional }) => name === '__proto__' || (optional && name in {}));
  if (inherited !== undefined) {
    throw new MillraceError('config', `a ${record} cannot have a field ${inherited.name} that may be missing`, {
      hint: 'rename it: every JavaScript object already has a property of this name',
    });
  }
  const named = identityOf(fields, record)?.name;
  const at = likelyTime(fields, known.rows ?? []);
  const when = at && { time: at.name, micros: at.micros === true };
  const made = { count: ROWS_MADE_UP, ...(named ? { identity: named } : {}), ...when };
  const rows = known.rows ?? sampleRows(declared, made);
  const schema = `${record}V1`;
  const module = `schemas/${recordFile(name)}`;
  return {
    record,
    schema,
    module,
    format: source.format,
    fields,
    header: known.header ?? false,
    rows,
    synthetic: known.rows === undefined,
    registered: false,
    identity: named !== undefined && isDistinct(rows, named) ? named : undefined,
    files: new Map([
      ...(known.files ?? []),
      [`${module}.ts`, schemaModule(source, { record, schema, subject }, declared)],
    ]),
    schemaFile: known.schemaFile,
    notes: known.notes ?? [],
  };
}

const isDistinct = (rows: readonly Row[], field: string): boolean =>
  new Set(rows.map((row) => String(row[field]))).size === rows.length && !rows.some((row) => isRounded(row[field]));

const recordFile = (name: string): string => `${singular(name)}.v1`;

interface Line {
  readonly text: string;
  readonly where: string;
}

async function firstLines(file: string, schema: SchemaData): Promise<Line[]> {
  const lines: Line[] = [];
  const options = { path: file, schema, header: false, changed: 'stop', partitions: 1, everyMs: 0 } as const;
  let number = 1;
  for await (const rows of rowsOfFile(file, 0, options)) {
    for (const { bytes } of rows) {
      const text = Buffer.from(bytes).toString();
      lines.push({ text, where: `${file}:${number}` });
      number += text.split('\n').length; // cells in quotes may hold line ends
    }
    if (lines.length >= ROWS_READ) break;
  }
  if (lines.length === 0) throw noRows(`${file} is empty`);
  return lines.slice(0, ROWS_READ);
}

const noRows = (message: string): MillraceError =>
  new MillraceError('config', message, { hint: 'give a file with some rows' });

const rowHint = 'correct or remove it, or use a file without it';

function read<T>({ text, where }: Line, as: (text: string) => T, hint: string): T {
  try {
    return as(text);
  } catch (cause) {
    throw new MillraceError('config', `a row cannot be read: ${messageOf(cause)}`, { where, hint, cause });
  }
}
