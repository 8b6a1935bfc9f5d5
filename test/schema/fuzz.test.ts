import { describe, expect, it } from 'vitest';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { avro, DecodeFailure, json, localRegistry, openCodec, type WireCodec } from '../../src/schema/index.js';

/** A small generator with a seed, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const interesting = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];

function mutate(bytes: Uint8Array, next: () => number): Uint8Array {
  const below = (n: number) => Math.floor(next() * n);
  let mutant = Buffer.from(bytes);
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(mutant.length);
    switch (below(6)) {
      case 0:
        mutant[at] = below(256);
        break;
      case 1:
        mutant[at] = interesting[below(interesting.length)] as number;
        break;
      case 2:
        mutant = mutant.subarray(0, at);
        break;
      case 3:
        mutant = Buffer.concat([mutant.subarray(0, at), Buffer.alloc(below(12), 0xff), mutant.subarray(at)]);
        break;
      case 4:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + below(4))]);
        break;
      default:
        mutant = Buffer.concat([mutant, mutant.subarray(at)]);
    }
    if (mutant.length === 0) return mutant;
  }
  return mutant;
}

async function fuzz(codec: WireCodec<unknown>, seeds: readonly unknown[], runs: number): Promise<Map<string, number>> {
  const next = random(runs);
  const originals = seeds.map((value) => codec.encode(value));
  const outcomes = new Map<string, number>();
  for (let i = 0; i < runs; i++) {
    const mutant = mutate(originals[i % originals.length] as Uint8Array, next);
    // Half of them keep an id that is known: otherwise most mutants would never get past the header.
    if (i % 2 === 0 && mutant.length >= 5) mutant.set((originals[0] as Uint8Array).subarray(0, 5));
    let outcome = 'value';
    try {
      codec.decode(mutant);
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      outcome = error.reason;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

const departed = {
  flightId: 1_234_567,
  departedAt: 978_307_200_000,
  utcOffsetMinutes: -300,
  origin: 'JFK',
  destination: 'BOS',
  distance: 187,
};

describe('mutated payloads', () => {
  it('are values or failures with a reason: a flat record', async () => {
    const outcomes = await fuzz(
      (await openCodec(FlightDepartedV1, localRegistry())) as WireCodec<unknown>,
      [departed, { ...departed, origin: null, distance: null }],
      100_000,
    );
    for (const reason of [
      'value',
      'truncated',
      'trailing-bytes',
      'malformed',
      'out-of-range',
      'not-wire-format',
      'schema-id-unknown',
    ]) {
      expect(outcomes.get(reason), reason).toBeGreaterThan(100);
    }
  });

  it('are values or failures with a reason: nested arrays, maps and recursion', async () => {
    const definition = JSON.stringify({
      type: 'record',
      name: 'Tree',
      fields: [
        { name: 'name', type: 'string' },
        { name: 'nulls', type: { type: 'array', items: 'null' } },
        { name: 'weights', type: { type: 'map', values: { type: 'array', items: 'double' } } },
        { name: 'children', type: { type: 'array', items: 'Tree' } },
      ],
    });
    const leaf = { name: 'leaf', nulls: [null, null], weights: { a: [1, 2], b: [] }, children: [] };
    const codec = await openCodec(avro<unknown>({ subject: 'tree', definition }), localRegistry());
    const outcomes = await fuzz(codec, [leaf, { ...leaf, children: [leaf, { ...leaf, children: [leaf] }] }], 60_000);
    for (const reason of ['value', 'truncated', 'trailing-bytes', 'malformed', 'too-large']) {
      expect(outcomes.get(reason), reason).toBeGreaterThan(20);
    }
  });

  it('are values or failures with a reason: JSON', async () => {
    const outcomes = await fuzz(
      await openCodec(json<unknown>(), localRegistry()),
      [departed, [[['x']]], 'text'],
      40_000,
    );
    expect([...outcomes.keys()].sort()).toEqual(['not-json', 'value']);
  });
});
