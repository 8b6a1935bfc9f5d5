import { openTable } from '../../src/evaluate/table.js';

/**
 * All rows of a CSV or Parquet file.
 *
 * @throws Error for a row that cannot be read: half of a data set is another data set
 * @example await readTable<{ humidity: number }>('data.csv');
 */
export async function readTable<Row>(path: string): Promise<Row[]> {
  const all: Row[] = [];
  const table = await openTable(path);
  const refuse = (reason: string): never => {
    throw new Error(`${path}: ${reason}`);
  };
  for await (const rows of table.read(refuse)) for (let at = 0; at < rows.size; at++) all.push(rows.row(at) as Row);
  return all;
}
