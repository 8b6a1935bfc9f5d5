import { describe, expect, it } from 'vitest';
import { SLOTS, slotOf, tagOf } from '../../../connectors/redis/server/hash-slot.js';

describe('slots', () => {
  // As `CLUSTER KEYSLOT` of Redis 7.0.15 has them.
  it.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['{user1000}.following', 3443],
    ['a{}b', 13694],
    ['{}{x}', 3257],
    ['ü', 9552],
    ['foo{{bar}}zap', 4015],
    ['key{', 2667],
  ])('%j is in %i', (key, slot) => expect(slotOf(key)).toBe(slot));

  it('have a tag each', () => {
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
    expect(slots.filter((slot) => slotOf(`fence:{${tagOf(slot)}}:step`) !== slot)).toEqual([]);
  });
});
