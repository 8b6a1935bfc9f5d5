import { describe, expect, it } from 'vitest';
import { formats, fuzzFormat } from './fuzzing.js';

// `npx tsx test/schema/main.ts --payloads 1000000` does the same with more.
const PAYLOADS = 50_000;

/** What must have been met, so that the payloads are known to get everywhere. */
const met: Readonly<Record<string, readonly string[]>> = {
  'avro-flat': ['malformed', 'not-wire-format', 'out-of-range', 'schema-id-unknown', 'trailing-bytes', 'truncated'],
  'avro-nested': ['malformed', 'out-of-range', 'too-large', 'trailing-bytes', 'truncated'],
  protobuf: ['malformed', 'out-of-range', 'too-deep', 'truncated'],
  'json-schema': ['not-json', 'not-wire-format', 'schema-violation'],
  json: ['not-json'],
  ndjson: ['not-json'],
  csv: ['not-csv', 'not-utf8'],
  text: ['not-utf8'],
  bytes: [],
};

describe('mutated payloads are values or dead letters with a reason', () => {
  it.each(Object.entries(formats))('%s', async (name, format) => {
    const { values, deadLettersByReason } = await fuzzFormat(format, PAYLOADS, 7);
    expect(values).toBeGreaterThan(100);
    expect(Object.keys(deadLettersByReason)).toEqual(expect.arrayContaining([...(met[name] as string[])]));
  });
});
