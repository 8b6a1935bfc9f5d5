import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FeatureNumbers, Origin } from '../../src/core/index.js';
import { type LoggedUpdate, updateReader, updateWriter } from '../../src/ml/update-codec.js';
import { type UpdateChunk, updateChunk } from '../../src/state/index.js';
import { originAt } from '../../src/testing/contract.js';

const originOf = (topic: string, partition: number, offset: number, isGlobal: boolean): Origin => ({
  ...originAt(offset, isGlobal ? 7 : partition),
  topic: isGlobal ? `${topic}/${partition}` : topic,
  ...(isGlobal ? { physical: { topic, partition } } : {}),
});

const float32 = fc.float();
const float64 = fc.double();
const numbers = (length: number) =>
  fc.oneof(
    fc.array(float32, { minLength: length, maxLength: length }).map((all) => Float32Array.from(all)),
    fc.array(float64, { minLength: length, maxLength: length }).map((all) => Float64Array.from(all)),
    fc.constant(new Float32Array(length).fill(1)),
  );
const DENSE = 3;
const features: fc.Arbitrary<FeatureNumbers> = fc.array(fc.nat(0xffffffff), { maxLength: 5 }).chain((indices) =>
  fc.record({
    dense: numbers(DENSE),
    indices: fc.constant(Uint32Array.from(indices)),
    values: numbers(indices.length),
  }),
);
const update = fc.record({
  features,
  label: fc.oneof(
    fc.boolean(),
    float64,
    fc.string({ unit: 'binary', maxLength: 9 }),
    fc.constantFrom(undefined, null, -0, 'x'.repeat(70_000)),
  ),
  weight: fc.oneof(fc.constant(1), float64),
  key: fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.integer(),
    float64.map((key) => key + 0), // as a key -0 is 0
  ),
  topic: fc.constantFrom('a', 'b', 'länger'),
  partition: fc.nat(2),
  offset: fc.maxSafeNat(),
  isGlobal: fc.boolean(),
  begins: fc.boolean(),
});

it('keeps every bit of an update, whatever stands before it in its chunk', () => {
  const bits = ({
    features: { dense, indices, values },
    label,
    weight,
    key,
    topic,
    partition,
    offset,
  }: LoggedUpdate) => ({
    dense: Array.from(dense),
    of: dense.constructor,
    indices: Array.from(indices),
    values: Array.from(values),
    label,
    weight,
    key,
    topic,
    partition,
    offset,
  });
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12 }), (updates) => {
      const write = updateWriter({ denseSize: DENSE, hashedSize: 0 });
      const chunks: UpdateChunk[] = [];
      for (const { features, label, weight, key, topic, partition, offset, isGlobal, begins } of updates) {
        const room = (bytes: number) => {
          if (begins || chunks.length === 0) chunks.push(updateChunk(200_000));
          const chunk = chunks.at(-1) as UpdateChunk;
          if (chunk.at + bytes > chunk.end) chunks.push(updateChunk(8 + bytes)); // the size asked for must do
          return chunks.at(-1);
        };
        write(room, features, label, weight, originOf(topic, partition, offset, isGlobal), key);
        write(() => undefined, features, label, weight, originOf('nowhere', 9, 9, false), key);
      }
      const read: ReturnType<typeof bits>[] = [];
      const reader = updateReader({ denseSize: DENSE, hashedSize: 0 });
      for (const { view, at } of chunks)
        reader({ view, at: 8, end: at }, (logged) => {
          read.push(bits(logged));
        });
      expect(read).toEqual(updates.map(bits));
    }),
    { numRuns: 200 },
  );
});
