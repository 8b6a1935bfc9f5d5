import { describe, expect, it } from 'vitest';
import { s3 } from '../../../connectors/s3/index.js';
import { json, ndjson } from '../../../src/schema/index.js';

describe('s3', () => {
  it('is what file is, under its own name', () => {
    const sink = s3.sink({ folder: 'lake/orders', schema: ndjson<unknown>(), by: 'day' });
    expect(sink).toMatchObject({ connector: 's3', kind: 's3.sink', settings: { folder: 'lake/orders', by: 'day' } });
    const source = s3.source({ path: 'lake/orders/*.ndjson', schema: ndjson<unknown>(), eventTime: () => 0 });
    expect(source).toMatchObject({
      connector: 's3',
      kind: 's3.source',
      topic: 's3://lake/orders/*.ndjson',
      problems: [],
    });
  });

  it('has Parquet as well', () => {
    const sink = s3.sink<{ n: number }>({ folder: 'lake/numbers', columns: { n: 'integer' } });
    expect(sink).toMatchObject({ kind: 's3.sink', settings: { format: 'parquet' }, problems: [] });
    const source = s3.source({ path: 'lake/a.parquet', schema: json<unknown>(), eventTime: () => 0 });
    expect(source.problems).toEqual([]);
  });
});
