// All clients that write to a topic must choose the same partition for a key, or the records of a key are split. This is the choice
// of Kafka's Java client and of kafkajs.

const M = 0x5bd1e995;

/**
 * The 32-bit murmur2 hash as Kafka's Java client computes it (`org.apache.kafka.common.utils.Utils.murmur2`), as a
 * signed integer.
 *
 * @example
 * murmur2(new TextEncoder().encode('foobar')); // -790332482
 */
export function murmur2(key: Uint8Array): number {
  const { length } = key;
  const tail = length & ~3;
  let hash = 0x9747b28c ^ length;
  for (let i = 0; i < tail; i += 4) {
    let word =
      (key[i] as number) |
      ((key[i + 1] as number) << 8) |
      ((key[i + 2] as number) << 16) |
      ((key[i + 3] as number) << 24);
    word = Math.imul(word, M);
    word ^= word >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = length - tail;
  if (rest > 2) hash ^= (key[tail + 2] as number) << 16;
  if (rest > 1) hash ^= (key[tail + 1] as number) << 8;
  if (rest > 0) hash = Math.imul(hash ^ (key[tail] as number), M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/**
 * The partition of a key, of `partitions` in all.
 *
 * @example
 * partitionOf(new TextEncoder().encode('JFK'), 4); // always the same one
 */
export const partitionOf = (key: Uint8Array, partitions: number): number => (murmur2(key) & 0x7fffffff) % partitions;
