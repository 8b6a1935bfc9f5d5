import { describe, expect, test } from 'vitest';
import { type Room, residencyPolicy, STAY_FACTOR } from '../../../src/inference/residency/policy.js';
import { generator } from '../../random.js';
import { hitsInHindsight, rateOf, zipf } from './belady.js';

const MB = 1e6;

interface Traffic {
  readonly bytesOf: readonly number[];
  readonly loadMsOf: readonly number[];
  readonly pinned: ReadonlySet<number>;
  readonly bytesMax: number;
  /** Milliseconds between two uses. */
  readonly gapMs: () => number;
}

interface Trial {
  readonly hits: readonly boolean[];
  /** Longest wait for others to become old enough, in milliseconds. */
  readonly waitedMs: number;
}

/** Uses models one after another, and checks at each step what must always hold. */
function follow(trace: readonly number[], { bytesOf, loadMsOf, pinned, bytesMax, gapMs }: Traffic): Trial {
  const policy = residencyPolicy({ bytesMax, modelCount: () => bytesOf.length });
  const loadedAt = new Map<number, number>();
  let nowMs = 0;
  let waitedMs = 0;

  function evict(models: readonly string[]): void {
    for (const model of models.map(Number)) {
      expect(pinned.has(model)).toBe(false);
      expect(nowMs - (loadedAt.get(model) as number)).toBeGreaterThanOrEqual(
        STAY_FACTOR * (loadMsOf[model] as number) - 1e-6,
      );
      expect(loadedAt.delete(model)).toBe(true);
      policy.evicted(`${model}`);
    }
  }

  function load(model: number): void {
    const bytes = bytesOf[model] as number;
    let room: Room = policy.roomFor(bytes, nowMs);
    for (; 'waitMs' in room; room = policy.roomFor(bytes, nowMs)) {
      expect(room.waitMs).toBeGreaterThan(0);
      waitedMs += room.waitMs;
      nowMs += room.waitMs;
    }
    if (!('evict' in room)) throw new Error(`${room.missingBytes} bytes are missing`);
    evict(room.evict);
    nowMs += loadMsOf[model] as number;
    loadedAt.set(model, nowMs);
    policy.loaded(`${model}`, { bytes, loadMs: loadMsOf[model] as number, isPinned: pinned.has(model) }, nowMs);
    const all = [...loadedAt.keys()].reduce((sum, each) => sum + (bytesOf[each] as number), 0);
    expect(policy.bytes()).toBeCloseTo(all, 3);
    expect(policy.bytes()).toBeLessThanOrEqual(bytesMax);
  }

  const hits = trace.map((model) => {
    nowMs += gapMs();
    policy.used(`${model}`);
    const isHit = loadedAt.has(model);
    if (!isHit) load(model);
    return isHit;
  });
  return { hits, waitedMs };
}

/** 300 models of 1 to 8 MB, which take 3 ms and 2 ms a megabyte to load. */
function manyModels(random: () => number, gapMs: () => number): Traffic {
  const bytesOf = Array.from({ length: 300 }, () => (1 + 7 * random()) * MB);
  const loadMsOf = bytesOf.map((bytes) => 3 + (2 * bytes) / MB);
  return { bytesOf, loadMsOf, pinned: new Set(), bytesMax: 2 ** 30, gapMs };
}

describe('which models are in memory', () => {
  test.each([
    { s: 1, share: 0.75, within: 0.04 },
    { s: 1.3, share: 0.1, within: 0.04 },
    // The best that always keeps the same models is 4 points below hindsight here, as what comes next is chance.
    { s: 1, share: 0.3, within: 0.07 },
    { s: 0.6, share: 0.75, within: 0.07 },
  ])('is nearly what hindsight would choose: Zipf $s, memory for $share', ({ s, share, within }) => {
    const random = generator(7);
    const traffic = manyModels(random, () => 20 * random());
    const all = traffic.bytesOf.reduce((sum, bytes) => sum + bytes, 0);
    const bytesMax = share * all;
    const next = zipf(300, s, random);
    const trace = Array.from({ length: 12_000 }, next);
    const own = rateOf(follow(trace, { ...traffic, bytesMax }).hits);
    const best = rateOf(hitsInHindsight(trace, traffic.bytesOf, bytesMax));
    expect(own).toBeGreaterThan(best - within);
    expect(own).toBeLessThanOrEqual(best + 0.01);
  });

  test('follows when other models become popular', () => {
    const random = generator(8);
    const traffic = { ...manyModels(random, () => 20 * random()), bytesMax: 400 * MB };
    const next = zipf(300, 1, random);
    const before = Array.from({ length: 12_000 }, next);
    const after = Array.from({ length: 12_000 }, () => 299 - next());
    const { hits } = follow([...before, ...after], traffic);
    const best = hitsInHindsight([...before, ...after], traffic.bytesOf, traffic.bytesMax);
    const last = -4_000;
    expect(rateOf(hits.slice(last))).toBeGreaterThan(rateOf(best.slice(last)) - 0.08);
  });

  test.each([1, 2, 3, 4])('holds for any traffic, part %i', (part) => {
    for (let seed = 0; seed < 25; seed++) anyTraffic(generator(1_000 * part + seed));
  });

  function anyTraffic(random: () => number): void {
    const models = 2 + Math.floor(random() * 12);
    const bytesOf = Array.from({ length: models }, () => Math.ceil(random() * 100));
    const loadMsOf = Array.from({ length: models }, () => 1 + Math.floor(random() * 50));
    const pinned = new Set(bytesOf.flatMap((_, model) => (random() < 0.2 ? [model] : [])));
    const pinnedBytes = [...pinned].reduce((sum, model) => sum + (bytesOf[model] as number), 0);
    // The largest fits beside the pinned ones, at least.
    const bytesMax = pinnedBytes + Math.max(...bytesOf) + Math.floor(random() * 200);
    const trace = Array.from({ length: 300 }, () => Math.floor(random() * models));
    const longestGapMs = random() < 0.5 ? 1 : 1_000;
    follow(trace, { bytesOf, loadMsOf, pinned, bytesMax, gapMs: () => random() * longestGapMs });
  }

  test('of equal models, the one that is used the least leaves', () => {
    const policy = residencyPolicy({ bytesMax: 200, modelCount: () => 3 });
    for (const id of ['a', 'b']) policy.loaded(id, { bytes: 100, loadMs: 1, isPinned: false }, 0);
    for (const id of ['a', 'b', 'b', 'a', 'a']) policy.used(id);
    expect(policy.roomFor(100, 1_000)).toEqual({ evict: ['b'] });
  });

  test('of models that are used alike, the one that is loaded the soonest again, for its size, leaves', () => {
    const policy = residencyPolicy({ bytesMax: 300, modelCount: () => 3 });
    policy.loaded('slow', { bytes: 100, loadMs: 100, isPinned: false }, 0);
    policy.loaded('fast', { bytes: 100, loadMs: 1, isPinned: false }, 0);
    policy.loaded('large', { bytes: 100, loadMs: 10, isPinned: false }, 0);
    for (const id of ['slow', 'fast', 'large']) policy.used(id);
    expect(policy.roomFor(50, 10_000)).toEqual({ evict: ['fast'] });
    expect(policy.roomFor(150, 10_000)).toEqual({ evict: ['fast', 'large'] });
  });

  test('small models stay where a large one makes room enough', () => {
    const policy = residencyPolicy({ bytesMax: 110, modelCount: () => 3 });
    policy.loaded('small', { bytes: 10, loadMs: 1, isPinned: false }, 0);
    policy.loaded('large', { bytes: 100, loadMs: 20, isPinned: false }, 0);
    for (const id of ['small', 'large']) policy.used(id);
    expect(policy.roomFor(50, 10_000)).toEqual({ evict: ['large'] });
  });

  test('a model that was just loaded is waited for, and what never fits is said', () => {
    const policy = residencyPolicy({ bytesMax: 100, modelCount: () => 2 });
    policy.loaded('young', { bytes: 60, loadMs: 5, isPinned: false }, 1_000);
    expect(policy.roomFor(60, 1_010)).toEqual({ waitMs: 5 * STAY_FACTOR - 10 });
    expect(policy.roomFor(40, 1_010)).toEqual({ evict: [] });
    expect(policy.roomFor(130, 1_010)).toEqual({ missingBytes: 30 });
    policy.loaded('pinned', { bytes: 30, loadMs: 5, isPinned: true }, 1_000);
    expect(policy.roomFor(80, 9_000)).toEqual({ missingBytes: 10 });
  });
});
