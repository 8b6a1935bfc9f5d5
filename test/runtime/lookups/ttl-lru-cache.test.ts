import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LookupAnswer } from '../../../src/core/index.js';
import { TtlLruCache } from '../../../src/runtime/lookups/ttl-lru-cache.js';

const answer = (kind: number, n: number): LookupAnswer =>
  kind === 0
    ? { kind: 'found', value: n }
    : kind === 1
      ? { kind: 'missing' }
      : { kind: kind === 2 ? 'refused' : 'failed', detail: 'no' };

describe('AgedAnswers', () => {
  it('remembers what a list of all that was ever put in would say', () => {
    const step = fc.record({
      put: fc.boolean(),
      key: fc.integer({ min: 0, max: 7 }).map(String),
      kind: fc.integer({ min: 0, max: 3 }),
      afterMs: fc.integer({ min: 0, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), (steps, entriesMax) => {
        let nowMs = 0;
        const answers = new TtlLruCache({ entriesMax, ttl: 20, missingTtl: 5 }, () => nowMs);
        // The model: entries in the order of their last use, the oldest first.
        let model: { key: string; answer: LookupAnswer; untilMs: number }[] = [];
        for (const [n, { put, key, kind, afterMs }] of steps.entries()) {
          nowMs += afterMs;
          const known = model.find((entry) => entry.key === key);
          if (put) {
            const given = answer(kind, n);
            answers.put(key, given);
            model = model.filter((entry) => entry !== known);
            const ttl = [20, 5, 0, 0][kind] ?? 0;
            if (ttl > 0) model = [...model, { key, answer: given, untilMs: nowMs + ttl }].slice(-entriesMax);
          } else {
            const live = known !== undefined && known.untilMs > nowMs;
            expect(answers.get(key)).toEqual(live ? known.answer : undefined);
            model = [...model.filter((entry) => entry !== known), ...(live ? [known] : [])];
          }
          expect(answers.size).toBe(model.length);
        }
      }),
    );
  });
});
