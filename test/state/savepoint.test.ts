import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateChange } from '../../src/core/index.js';
import {
  decodeSavepoint,
  encodeSavepoint,
  type SavepointManifest,
  type SavepointTask,
} from '../../src/state/savepoint.js';

const manifestOf = (partitions: number): SavepointManifest => ({
  name: 'before',
  topology: 'jobs',
  topologyHash: '0123456789abcdef',
  createdAt: '2026-01-31T12:00:00.000Z',
  partitions,
  topics: { events: 'events.v1' },
  profile: 'embedded',
});

async function encoded(tasks: readonly SavepointTask[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeSavepoint(manifestOf(tasks.length), tasks)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

function decoded(bytes: Uint8Array) {
  let at = 0;
  const read = (length: number) => {
    const piece = bytes.subarray(at, at + Math.min(length, bytes.length - at));
    at += piece.length;
    return piece;
  };
  const { manifest, tasks } = decodeSavepoint(read, 'a.mrsp');
  return { manifest, tasks: [...tasks()] };
}

const name = fc.stringMatching(/^[a-z$/.-]{1,6}$/);
const change = fc.record<StateChange>({
  step: name,
  cell: name,
  version: fc.integer({ min: 0, max: 9 }),
  bucket: fc.integer({ min: 0, max: 5_000 }),
  bytes: fc.uint8Array({ maxLength: 40 }),
});
const state = fc.uniqueArray(change, {
  selector: ({ step, cell, bucket }) => JSON.stringify([step, cell, bucket]),
  maxLength: 12,
});
const checkpoint = fc.record({
  epoch: fc.nat(),
  incarnation: fc.nat(),
  topologyHash: fc.string(),
  positions: fc.dictionary(
    name,
    fc.record({
      offset: fc.maxSafeInteger(),
      mergeTimeMs: fc.integer(),
      clock: fc.record({
        nowMs: fc.integer(),
        agreed: fc.nat(10),
        ahead: fc.array(fc.integer()),
        behindMs: fc.option(fc.integer(), { nil: null }),
      }),
    }),
  ),
  settledDecisions: fc.constant({ merge: [3, 1, 2] }),
});
const task = fc.record({ checkpoint: fc.option(checkpoint, { nil: undefined }), state });
const tasks = fc.array(task, { maxLength: 4 });

const place = ({ step, cell, bucket }: StateChange) => JSON.stringify([step, cell, bucket]);
const sorted = (each: SavepointTask) => ({
  checkpoint: JSON.stringify(each.checkpoint),
  state: each.state
    .map((one) => [place(one), one.version, Buffer.from(one.bytes ?? []).toString('hex')])
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
});

describe('savepoint files', () => {
  it('give back what was put in', () =>
    fc.assert(
      fc.asyncProperty(tasks, async (put) => {
        const got = decoded(await encoded(put));
        expect(got.manifest).toEqual(manifestOf(put.length));
        expect(got.tasks.map(sorted)).toEqual(put.map(sorted));
      }),
    ));

  it('do not depend on the order in which a store gives buckets', () =>
    fc.assert(
      fc.asyncProperty(state, async (put) => {
        const backwards = [...put].reverse();
        expect(
          (await encoded([{ checkpoint: undefined, state: backwards }])).equals(
            await encoded([{ checkpoint: undefined, state: put }]),
          ),
        ).toBe(true);
      }),
    ));

  it('leave out what is gone', async () => {
    const gone: StateChange = { step: 'a', cell: 'b', version: 1, bucket: 0, bytes: null };
    expect(decoded(await encoded([{ checkpoint: undefined, state: [gone] }])).tasks[0]?.state).toEqual([]);
  });

  it('are refused with any bit flipped, cut anywhere, or with bytes behind their end', () =>
    fc.assert(
      fc.asyncProperty(tasks, fc.nat(), fc.integer({ min: 0, max: 7 }), async (put, where, bit) => {
        const whole = await encoded(put);
        const at = where % whole.length;
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] as number) ^ (1 << bit);
        const refused = expect.objectContaining({ code: 'state' });
        expect(() => decoded(flipped)).toThrow(refused);
        expect(() => decoded(whole.subarray(0, at))).toThrow(refused);
        expect(() => decoded(Buffer.concat([whole, Buffer.from([0])]))).toThrow(refused);
      }),
      { numRuns: 300 },
    ));

  it('say so where they are of another format, or no savepoints', () => {
    expect(() => decoded(Buffer.from('MRSAVE02 and more'))).toThrow('another format');
    expect(() => decoded(Buffer.from('{"json": true}'))).toThrow('not a savepoint');
    expect(() => decoded(new Uint8Array())).toThrow('not a savepoint');
  });
});
