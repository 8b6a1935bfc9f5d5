import { once } from 'node:events';
import { createWriteStream, fdatasync, mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetWriteFile } from 'hyparquet-writer/src/node.js';
import { file } from '../../connectors/file/index.js';
import { openFiles } from '../../connectors/file/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { csv, localRegistry, ndjson } from '../../src/schema/index.js';
import { papaparse } from '../papaparse.js';
import type { Contest } from './contest.js';
import { type Side, sinkSide } from './side.js';

const datasync = promisify(fdatasync);

/** Text of each chunk into a stream, synced an epoch. */
function textSide(path: string, textOf: (values: readonly Prediction[]) => string): Side {
  const stream = createWriteStream(path, { highWaterMark: 256 * 1024 });
  return {
    async write(values) {
      if (!stream.write(textOf(values))) await once(stream, 'drain');
    },
    async settle() {
      await new Promise<void>((resolve, reject) => stream.write('', (error) => (error ? reject(error) : resolve())));
      await datasync((stream as unknown as { fd: number }).fd);
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

const textOf = (values: readonly Prediction[]): string =>
  values.reduce((text, value) => `${text}${JSON.stringify(value)}\n`, '');

export const columns = {
  flightId: 'integer',
  origin: 'text',
  destination: 'text',
  departedAt: 'date',
  late: 'number',
  hourRate: 'number',
  lastClass: 'number',
  majority: 'number',
  modelVersion: 'text',
  risk: 'number?',
  riskModel: 'text',
  degraded: 'text?',
  featuresDigest: 'text',
} as const;
const names = Object.keys(columns) as (keyof typeof columns)[];
const parquetTypes = { integer: 'INT64', text: 'STRING', date: 'TIMESTAMP', number: 'DOUBLE' } as const;

const cellOf = (row: Prediction, name: keyof typeof columns) => {
  if (name === 'flightId') return BigInt(row.flightId);
  return name === 'departedAt' ? new Date(row.departedAt) : row[name];
};

/** Rows as the writer of Parquet wants them. */
export const parquetData = (rows: readonly Prediction[]) =>
  names.map((name) => {
    const declared = columns[name];
    const type = parquetTypes[declared.replace('?', '') as keyof typeof parquetTypes];
    return { name, type, nullable: declared.endsWith('?'), data: rows.map((row) => cellOf(row, name)) };
  });

/** Of row groups, as the sinks have them. */
export const GROUP_ROWS = 100_000;

/** Rows in memory until the end, then all of them into one file. */
function parquetSide(path: string): Side {
  const rows: Prediction[] = [];
  let finished = false;
  return {
    write(values) {
      rows.push(...values);
    },
    async settle() {
      if (!finished) return;
      parquetWriteFile({ filename: path, columnData: parquetData(rows), rowGroupSize: GROUP_ROWS });
      const written = await open(path);
      await written.datasync();
      await written.close();
    },
    finish() {
      finished = true;
    },
    close: async () => undefined,
  };
}

function contest(
  format: string,
  byHand: string,
  records: number,
  sinkIn: (folder: string) => ReturnType<typeof file.sink<Prediction>>,
  sideAt: (path: string) => Side,
): Contest {
  return {
    name: `file.sink, ${format}`,
    byHand,
    needs: [],
    records,
    async open({ folder }) {
      const files = openFiles({ schemas: localRegistry() });
      const place = join(folder, format);
      mkdirSync(place, { recursive: true });
      return {
        sink: (run) => sinkSide(files.sink, sinkIn(join(place, run)), run),
        byHand: async (run) => sideAt(join(place, `by-hand-${run}`)),
        close: async () => undefined,
      };
    },
  };
}

export const contests: readonly Contest[] = [
  contest(
    'NDJSON',
    'JSON.stringify into a write stream, synced an epoch',
    200_000,
    (folder) => file.sink<Prediction>({ folder, schema: ndjson<Prediction>() }),
    (path) => textSide(path, textOf),
  ),
  contest(
    'CSV',
    'papaparse into a write stream, synced an epoch',
    200_000,
    (folder) => file.sink({ folder, schema: csv({ columns: { ...columns, departedAt: 'integer' } }) as never }),
    (path) =>
      textSide(path, (values) => `${papaparse.unparse(values, { header: false, columns: names, newline: '\n' })}\n`),
  ),
  contest(
    'Parquet',
    'hyparquet-writer: rows in memory, written at the end; a crash loses them',
    200_000,
    (folder) => file.sink<Prediction>({ folder, columns }),
    parquetSide,
  ),
];
