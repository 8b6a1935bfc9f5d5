import { expect, it } from 'vitest';
import { endingOf, type RowFormat, rowFormatProblems, rowFormatSettings } from '../../../connectors/file/row-format.js';
import { bytes, csv, json, ndjson, text } from '../../../src/schema/index.js';

const table = csv({ columns: { id: 'integer' } });

it.each<[object, string]>([
  [{ schema: ndjson() }, '.ndjson'],
  [{ schema: json(), compression: 'gzip' }, '.ndjson.gz'],
  [{ schema: table }, '.csv'],
  [{ schema: table, compression: 'zstd' }, '.csv.zst'],
  [{ schema: text() }, '.txt'],
  [{ columns: {} }, '.parquet'],
])('rows of a format have its ending: %o', (format, ending) => {
  expect(endingOf(format as RowFormat<unknown>)).toBe(ending);
});

it.each<[object, readonly string[]]>([
  [{ schema: ndjson() }, []],
  [{ schema: table, header: true }, []],
  [{ schema: text() }, []],
  [{ schema: bytes() }, ['bytes in lines']],
  [{ schema: text(), header: true }, ['a header line in text']],
  [{ columns: {} }, ['no columns']],
  [{ columns: { a: 'text?', b: 'date', c: 'bigint' } }, []],
  [{ columns: { a: 'texts', b: 'number?', c: undefined } }, ['column a is "texts"', 'column c is "undefined"']],
])('what cannot be rows is told: %o', (format, problems) => {
  expect(rowFormatProblems(format as RowFormat<unknown>).map(({ message }) => message)).toEqual(problems);
});

it('describe shows the format alone', () => {
  expect(
    [{ schema: table, header: true }, { columns: { a: 'text' } }].map((each) => rowFormatSettings(each as never)),
  ).toEqual([{ format: 'csv' }, { format: 'parquet' }]);
});
