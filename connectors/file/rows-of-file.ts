import { MillraceError } from '../../src/core/errors.js';
import { textsOf } from '../../src/schema/plain/csv-cells.js';
import { bytesOf, type OpenBytes } from './bytes.js';
import type { ReadFiles } from './kinds.js';
import { type Line, Lines } from './lines.js';
import { parquetRows } from './parquet/parquet-rows.js';
import type { OpenRandom } from './random-access.js';
import { csvDelimiter, csvHeader } from './row-format.js';

const SCHEMA_BYTES_MAX = 16 * 1024 * 1024;

/** The format of a file's rows; Parquet needs no options. */
export interface RowsIn {
  readonly schema: ReadFiles['schema'] | undefined;
  readonly header: boolean;
}

/** The longest line: one byte more than the schema allows, so that the schema refuses it by its length. */
export const lineBytesMax = ({ schema }: Pick<RowsIn, 'schema'>): number =>
  ((schema?.options as { readonly bytesMax?: number } | undefined)?.bytesMax ?? SCHEMA_BYTES_MAX) + 1;

/** How files are read; by default from this machine. */
export interface Openers {
  readonly open?: OpenBytes;
  readonly openRandom?: OpenRandom;
}

/**
 * The rows of a file from a position: a byte of the decompressed content, or a row of Parquet. `next` of each row is the position
 * after it. `atEnd` is called when the bytes have ended, before a last line that may be incomplete.
 */
export async function* rowsOfFile(
  path: string,
  at: number,
  options: RowsIn,
  { open, openRandom }: Openers = {},
  atEnd?: () => Promise<void>,
): AsyncGenerator<readonly Line[]> {
  if (path.endsWith('.parquet')) {
    yield* parquetRows(path, at, openRandom);
    return;
  }
  const { schema, header } = options;
  const lines = new Lines({ at, quoted: schema?.format === 'csv', bytesMax: lineBytesMax(options) });
  let headerDue = header && at === 0;
  let isStart = at === 0;
  const rows = (lines: readonly Line[]): readonly Line[] => {
    const read = isStart ? withoutMark(lines) : lines;
    isStart &&= lines.length === 0;
    const [first, ...rest] = read;
    if (!headerDue || first === undefined) return read;
    headerDue = false;
    compareHeader(path, first.bytes, options);
    return rest;
  };
  for await (const piece of bytesOf(path, at, open)) yield rows(lines.push(piece));
  await atEnd?.();
  const last = lines.end();
  if (last !== undefined) yield rows([last]);
}

/** A byte order mark before the first line is not part of a value. */
function withoutMark([first, ...rest]: readonly Line[]): readonly Line[] {
  if (first === undefined) return [];
  const { bytes } = first;
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  if (!isMarked) return [first, ...rest];
  return bytes.length === 3 ? rest : [{ ...first, bytes: bytes.subarray(3) }, ...rest];
}

function namesIn(header: string, delimiter: string): string[] {
  try {
    return textsOf(header, delimiter).map((text) => text.trim());
  } catch {
    return [header]; // not a row of CSV: the header is quoted in the message as it is
  }
}

function compareHeader(path: string, line: Uint8Array, { schema }: RowsIn): void {
  if (schema === undefined) return;
  const names = namesIn(Buffer.from(line).toString(), csvDelimiter(schema));
  const wanted = csvHeader(schema);
  if (names.length === wanted.length && names.every((name, i) => name === wanted[i])) return;
  throw new MillraceError('source', `the columns of ${path} are ${names.join(', ')}`, {
    where: path,
    hint: `the schema has: ${wanted.join(', ')}`,
    permanent: true,
  });
}
