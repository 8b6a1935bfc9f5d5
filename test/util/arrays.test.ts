import { describe, expect, it } from 'vitest';
import { pushAll } from '../../src/util/arrays.js';

describe('pushAll', () => {
  it('appends in order, and more than a stack holds', () => {
    const into = [-1];
    pushAll(into, Array.from({ length: 300_000 }, (_, i) => i).values());
    expect([into.length, into[0], into[1], into.at(-1)]).toEqual([300_001, -1, 0, 299_999]);
  });
});
