import { rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { queryAsync } from 'chdb';
import { describe, it } from 'vitest';
import { type FileSinkOptions, file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import type { Schema } from '../../../src/core/schema.js';
import type { Sink } from '../../../src/core/sink.js';
import { csv, localRegistry, ndjson, openDecoder } from '../../../src/schema/index.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { openWorld } from '../../profiles/embedded/world.js';
import { newFolder } from './folder.js';

interface Row {
  readonly n: number;
  readonly v: unknown;
}

type Format = FileSinkOptions<Row> extends infer O ? (O extends unknown ? Omit<O, 'folder'> : never) : never;

/** The rows of all files below a folder, each file read by itself. */
async function rowsIn(folder: string, rowsOf: (path: string) => Promise<readonly Row[]>) {
  const paths = (await readdir(folder)).filter((name) => !name.startsWith('.')).map((name) => join(folder, name));
  return new Map((await Promise.all(paths.map(rowsOf))).flat().map(({ n, v }) => [n, v]));
}

function keepsContract(
  name: string,
  format: Format,
  rowsOf: (path: string) => Promise<readonly Row[]>,
  plain: unknown,
  stored: (value: unknown) => unknown = (value) => value,
): void {
  const checks = hostileValuesContract(async () => {
    const world = await openWorld();
    const folder = newFolder();
    return {
      driver: openFiles({ schemas: localRegistry() }).sink,
      sink: file.sink<Row>({
        folder,
        ...format,
        roll: { rows: 'columns' in format ? 1_000 : 1 },
      } as FileSinkOptions<Row>) as Sink<never> as Sink<unknown>,
      openLedger: (task) => world.embedded.openLedger(task),
      row: (n, v) => ({ n, v }),
      plain,
      read: () => rowsIn(folder, rowsOf),
      stored,
      async close() {
        await world.close();
        rmSync(folder, { recursive: true });
      },
    };
  });
  describe(name, () => {
    for (const { name: check, run } of checks) it(check, run);
  });
}

const orNull = (value: unknown): unknown => value ?? null;
const isMinusZero = (value: unknown): boolean => Object.is(value, -0);

describe('hostile values in files', () => {
  keepsContract(
    'as NDJSON',
    { schema: ndjson<Row>() },
    async (path) => [JSON.parse(await readFile(path, 'utf8')) as Row],
    'plain',
    asJson,
  );

  for (const [type, plain] of [
    ['text', 'plain'],
    ['text?', 'plain'],
    ['number?', 1.5],
    ['integer', 7],
    ['bigint?', 7n],
    ['boolean', false],
    ['date?', new Date(0)],
  ] as const) {
    const schema = csv({ columns: { n: 'integer', v: type } });
    // As the decoder reads them: nothing else reads a NUL, a quote and a line end in one cell alike.
    const decoder = openDecoder<Row>(schema as Schema<Row>, localRegistry());
    const read = async (path: string) => [(await decoder).decode(await readFile(path))];
    keepsContract(`as CSV, ${type}`, { schema } as Format, read, plain, (value) =>
      isMinusZero(value) && type.startsWith('integer') ? 0 : type.endsWith('?') ? orNull(value) : value,
    );
  }

  for (const [type, plain, sql] of [
    ['text?', 'plain', 'v'],
    ['number?', 1.5, 'v'],
    ['integer', 7, 'v'],
    ['bigint?', 7n, 'toString(v)'],
    ['boolean', false, 'v'],
    ['date?', new Date(0), 'toUnixTimestamp64Milli(v)'],
  ] as const) {
    const format = { columns: { n: 'integer', v: type } } as Format;
    const read = async (path: string): Promise<readonly Row[]> => {
      const query = `SELECT toInt32(n) AS n, ${sql} AS v FROM file('${path}', Parquet) SETTINGS output_format_json_quote_64bit_integers = 0, output_format_json_named_tuples_as_objects = 1`;
      return (await queryAsync(query, { format: 'JSON' })).json<{ data: Row[] }>().data;
    };
    keepsContract(`as Parquet, ${type}`, format, read, plain, (value) => {
      if (value instanceof Date) return value.getTime();
      if (typeof value === 'bigint') return String(value);
      return isMinusZero(value) && type !== 'number?' ? 0 : orNull(value);
    });
  }
});
