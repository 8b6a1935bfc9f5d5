import type { Schema } from '../../../../src/core/schema.js';
import { bytes, csv, json, ndjson, text } from '../../../../src/schema/index.js';
import { type Refusal, refused } from '../case.js';

// Formats without a schema in a registry: as the modules of Python write and read them, and byte by byte through kcat.

export interface PlainCase {
  readonly format: 'csv' | 'json' | 'ndjson' | 'text' | 'bytes';
  readonly what: string;
  readonly schema: Schema<unknown>;
  /** As others have it: cells of CSV, JSON, text, or base64 of bytes; `undefined` where they would not write it. */
  readonly theirs: unknown;
  /** What we make of it, or why it is none. */
  readonly ours: unknown | Refusal;
  /** What it is in bytes, as kcat has it. */
  readonly bytes: Uint8Array;
}

const readings = csv({
  columns: { sensor: 'text', celsius: 'number?', at: 'date', n: 'bigint', fine: 'boolean' },
}) as Schema<unknown>;
const asText = text() as Schema<unknown>;
const reading = { sensor: 'a', celsius: null, at: new Date(0), n: -5n, fine: true };
const nested = { a: 1, ü: [null, true, -1.5e-7, 'tea ☕ 😀 "\\\n\u0000'], b: {} };
const line = (value: string) => Buffer.from(value);

export const plainCases: readonly PlainCase[] = [
  {
    format: 'csv',
    what: 'cells of every type, one of them empty',
    schema: readings,
    theirs: ['a', '', '1970-01-01T00:00:00.000Z', '-5', 'true'],
    ours: reading,
    bytes: line('a,,1970-01-01T00:00:00.000Z,-5,true'),
  },
  {
    format: 'csv',
    what: 'quotes, commas and lines in a cell',
    schema: readings,
    theirs: ['b, "c"\nü', '1.5', '1970-01-01T00:00:00.000Z', '9007199254740993', 'false'],
    ours: { ...reading, sensor: 'b, "c"\nü', celsius: 1.5, n: 2n ** 53n + 1n, fine: false },
    bytes: line('"b, ""c""\nü",1.5,1970-01-01T00:00:00.000Z,9007199254740993,false\r\n'),
  },
  {
    format: 'csv',
    what: 'a row of too few cells',
    schema: readings,
    theirs: ['broken'],
    ours: refused('not-csv'),
    bytes: line('broken'),
  },
  {
    format: 'json',
    what: 'objects, arrays, numbers, text, null',
    schema: json<unknown>(),
    theirs: nested,
    ours: nested,
    bytes: line(JSON.stringify(nested)),
  },
  {
    format: 'json',
    what: 'a number that JavaScript does not hold is rounded, as JSON.parse does',
    schema: json<unknown>(),
    theirs: [2 ** 53],
    ours: [2 ** 53],
    bytes: line('[9007199254740993]'),
  },
  {
    format: 'json',
    what: 'a text that ends too soon',
    schema: json<unknown>(),
    theirs: undefined,
    ours: refused('not-json'),
    bytes: line('{"a":'),
  },
  {
    format: 'ndjson',
    what: 'a line',
    schema: ndjson<unknown>(),
    theirs: nested,
    ours: nested,
    bytes: line(`${JSON.stringify(nested)}\n`),
  },
  { format: 'text', what: 'UTF-8', schema: asText, theirs: 'äöü€😀', ours: 'äöü€😀', bytes: line('äöü€😀') },
  {
    format: 'text',
    what: 'what is no UTF-8',
    schema: asText,
    theirs: undefined,
    ours: refused('not-utf8'),
    bytes: Buffer.of(0x61, 0xff),
  },
  {
    format: 'bytes',
    what: 'any',
    schema: bytes() as Schema<unknown>,
    theirs: { $bytes: 'AP+A' },
    ours: Buffer.of(0, 255, 128),
    bytes: Buffer.of(0, 255, 128),
  },
];
