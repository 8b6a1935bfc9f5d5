import { describe, expect, it } from 'vitest';
import { formats } from './payloads/formats.js';
import { fuzzFormat } from './payloads/fuzz-format.js';

// `npm run fuzz -- --payloads 1000000` does the same with more.
const PAYLOADS = 20_000;

const binary = ['malformed', 'not-wire-format', 'out-of-range', 'schema-id-unknown', 'truncated'];

/** What must have been met, so that the payloads are known to get everywhere. */
const met: Readonly<Record<string, readonly string[]>> = {
  'avro-flat': [...binary, 'trailing-bytes'],
  'avro-nested': [...binary, 'too-deep', 'too-large', 'trailing-bytes'],
  protobuf: [...binary, 'too-deep'],
  'json-schema': ['not-json', 'not-wire-format', 'schema-violation', 'too-deep'],
  json: ['not-json', 'too-deep'],
  ndjson: ['not-json', 'too-deep'],
  csv: ['not-csv', 'not-utf8'],
  text: ['not-utf8'],
  bytes: [],
};

describe('hostile payloads are values or dead letters with a reason', () => {
  it.each(Object.entries(formats))('%s', async (name, format) => {
    const { values, deadLettersByReason } = await fuzzFormat(format, PAYLOADS, 7);
    expect(values).toBeGreaterThan(PAYLOADS / 20);
    expect(Object.keys(deadLettersByReason)).toEqual(expect.arrayContaining([...(met[name] as string[])]));
  });
});
