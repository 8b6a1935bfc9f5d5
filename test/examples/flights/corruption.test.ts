import { describe, expect, it } from 'vitest';
import { type CorruptionKind, corruptionOf, corruptionPicker } from '../../../examples/flights/corruption.js';
import { entryAt, isAbsurd, planLoad, planTopic, secondAt } from '../../../examples/flights/plan.js';
import { uniform } from '../../../examples/flights/random.js';
import { someFlights } from './fixtures.js';

describe('uniform', () => {
  it('is spread evenly and differs with every argument', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const place = Math.floor(uniform(7, 3, i) * 10);
      tenths[place] = (tenths[place] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(new Set([uniform(1, 1, 1), uniform(2, 1, 1), uniform(1, 2, 1), uniform(1, 1, 2)]).size).toBe(4);
  });
});

describe('corruptionPicker', () => {
  it('gives each kind its share and leaves the first thousand flights clean', () => {
    const pick = corruptionPicker(corruptionOf.departed, 'departed', 1);
    const counts = new Array<number>(corruptionOf.departed.length + 1).fill(0);
    for (let flight = 0; flight < 400_000; flight++) {
      const kind = pick(flight);
      counts[kind] = (counts[kind] ?? 0) + 1;
      if (flight < 1_000) expect(kind).toBe(0);
    }
    corruptionOf.departed.forEach(({ share }, place) => {
      const expected = share * 399_000;
      expect(Math.abs((counts[place + 1] ?? 0) - expected)).toBeLessThanOrEqual(4.5 * Math.sqrt(expected));
    });
  });

  it('depends on the seed and on the topic', () => {
    const flights = Array.from({ length: 20_000 }, (_, flight) => flight);
    const first = flights.map(corruptionPicker(corruptionOf.departed, 'departed', 1));
    expect(flights.map(corruptionPicker(corruptionOf.departed, 'departed', 1))).toEqual(first);
    expect(flights.map(corruptionPicker(corruptionOf.departed, 'departed', 2))).not.toEqual(first);
    expect(flights.map(corruptionPicker(corruptionOf.departed, 'arrived', 1))).not.toEqual(first);
  });
});

describe('planLoad', () => {
  it('orders each topic by time and holds every flight once, corruption beside', () => {
    const flights = someFlights(30_000);
    const plan = planLoad(flights, { seed: 5, clean: false });
    for (const topic of [plan.departed, plan.arrived]) {
      const whole = new Set<number>();
      const counts = new Array<number>(topic.kinds.length + 1).fill(0);
      let last = 0;
      for (let n = 0; n < topic.order.length; n++) {
        const { second, flight, kind } = entryAt(topic, n);
        expect(second).toBeGreaterThanOrEqual(last);
        expect(secondAt(topic, n)).toBe(second);
        last = second;
        counts[kind] = (counts[kind] ?? 0) + 1;
        if (kind === 0 || topic.kinds[kind - 1]?.where === 'in-place') whole.add(flight);
      }
      expect(whole.size).toBe(flights.size);
      topic.kinds.forEach((_, place) => {
        expect(counts[place + 1]).toBe(topic.counts[place + 1]);
      });
    }
  });

  it('has nothing but flights when clean', () => {
    const plan = planLoad(someFlights(5_000), { seed: 5, clean: true });
    expect([plan.departed.order.length, plan.arrived.order.length]).toEqual([5_000, 5_000]);
  });

  it('finds delays that are absurd in the data itself', () => {
    const flights = someFlights(10);
    flights.delayMinutes.set([-1_116, -953, -212, 1_688, -90, 0, 15]);
    expect(planLoad(flights, { seed: 1, clean: true }).absurdDelays).toBe(3);
    expect([-181, -180, 2_000, 2_001].map(isAbsurd)).toEqual([true, false, false, true]);
  });

  it('puts a duplicate behind its flight, and tombstones where they are asked for', () => {
    const kinds: CorruptionKind[] = [
      { kind: 'duplicate', share: 0.5, where: 'added', outcome: 'duplicate', lagMaxSeconds: 60 },
      { kind: 'tombstone', share: 0.5, where: 'added', outcome: 'tombstone' },
    ];
    const plan = planTopic('departed', kinds, 3_000, 1, () => Date.UTC(2001, 5, 30, 23) / 1_000);
    const entries = Array.from({ length: plan.order.length }, (_, n) => entryAt(plan, n));
    expect(entries.length).toBe(3_000 + 2_000);
    for (const { kind, second } of entries) {
      const lag = second - Date.UTC(2001, 5, 30, 23) / 1_000;
      expect(kind === 1 ? lag >= 1 && lag <= 60 : lag === 0).toBe(true);
    }
  });
});
