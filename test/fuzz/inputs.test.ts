import { describe, expect, it } from 'vitest';
import { fuzzFiles } from './files.js';
import { fuzzIngest } from './ingest.js';
import { fuzzBatches } from './record-batches.js';
import { fuzzRegistry } from './registry.js';

// What comes in otherwise than as payloads. Each of these throws where anything but records, dead letters and typed errors comes out.

describe('hostile inputs', () => {
  it('batches of a log are records in order, or an error that names the batch', async () => {
    const outcomes = await fuzzBatches(5_000, 7);
    expect(Object.keys(outcomes).length).toBeGreaterThan(12);
    expect(outcomes.records).toBeGreaterThan(500);
  });

  it('bodies of requests are taken as a whole, or refused with what is wrong', async () => {
    expect(Object.keys(await fuzzIngest(300, 7))).toEqual(['202', '400', '413', '422']);
  });

  it('answers of a registry cost nothing but patience', async () => {
    const outcomes = await fuzzRegistry(200, 7);
    expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['schema', 'schema-incompatible', 'value']));
  });

  it('files are rows, dead letters, or refused', async () => {
    expect(Object.keys(await fuzzFiles(300, 7))).toEqual(expect.arrayContaining(['parquet: refused', 'csv: rows']));
  });
});
