import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonRecord, type LazyJson } from '../../src/core/index.js';
import { avro, decodeRecord, json, jsonSchema, localRegistry, openDecoder } from '../../src/schema/index.js';

/** As a source has it that keeps values; `slack` makes its bounds as wide as one likes. */
function lazyOf(value: unknown, slack = 0): LazyJson & { asked: number } {
  const text = JSON.stringify(value);
  return {
    asked: 0,
    value: () => JSON.parse(text) as unknown,
    get bytes() {
      this.asked += 1;
      return Buffer.from(text);
    },
    bytesMax: Buffer.byteLength(text) + slack,
    depthMax: depthOf(value) + slack,
  };
}
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

const outcomeOf = (decode: () => unknown): unknown => {
  try {
    return decode();
  } catch (error) {
    return (error as { reason?: unknown }).reason;
  }
};

const definition = JSON.stringify({ type: 'object', required: ['a'], properties: { a: { type: 'integer' } } });
const schemas = {
  json: json<unknown>(),
  'json of few bytes': json<unknown>({ bytesMax: 30 }),
  'json under a schema': jsonSchema<unknown>({ subject: 'a', definition, framing: 'none' }),
};

describe('a value without bytes', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    it(`is what its bytes are: ${name}`, async () => {
      const decoder = await openDecoder(schema, localRegistry());
      fc.assert(
        fc.property(fc.oneof(fc.jsonValue(), fc.record({ a: fc.jsonValue() })), fc.nat(400), (value, slack) => {
          const lazy = lazyOf(value, slack);
          const record = new JsonRecord(3, 5, lazy);
          expect(record).toMatchObject({ offset: 3, timestampMs: 5, key: null, value: lazy.bytes });
          expect(outcomeOf(() => decodeRecord(decoder, record))).toStrictEqual(
            outcomeOf(() => decoder.decode(lazy.bytes)),
          );
        }),
      );
    });
  }

  it('needs none of its bytes, unless it may be too long or too deep', async () => {
    const decoder = await openDecoder(json<unknown>({ bytesMax: 1_000 }), localRegistry());
    let deep: unknown = 1;
    for (let i = 0; i < 257; i++) deep = [deep];
    for (const [value, slack, asked] of [
      [{ a: 1 }, 0, 0],
      [{ a: 1 }, 1_000, 1],
      [deep, 0, 1],
      ['x'.repeat(1_000), 0, 1],
    ] as const) {
      const lazy = lazyOf(value, slack);
      outcomeOf(() => decodeRecord(decoder, new JsonRecord(0, 0, lazy)));
      expect(lazy.asked).toBe(asked);
    }
  });

  it('is bytes to formats that are not JSON alone', async () => {
    const framed = await openDecoder(jsonSchema<unknown>({ subject: 'a', definition }), localRegistry());
    const record = new JsonRecord(0, 0, lazyOf({ a: 1 }));
    expect(outcomeOf(() => decodeRecord(framed, record))).toBe('not-wire-format');
    const binary = await openDecoder(
      avro<unknown>({ subject: 'b', definition: '"string"', framing: 'none' }),
      localRegistry(),
    );
    expect(outcomeOf(() => decodeRecord(binary, record))).toBeTypeOf('string');
  });
});
