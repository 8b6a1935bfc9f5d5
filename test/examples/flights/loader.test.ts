import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LoadOptions, loadFlights } from '../../../examples/flights/loader.js';
import { expectedOf, type Manifest, readManifest } from '../../../examples/flights/manifest.js';
import { topics } from '../../../examples/flights/names.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import { DecodeFailure } from '../../../src/schema/index.js';
import { type Codecs, type MemoryLog, memoryLog, openCodecs, someFlights } from './fixtures.js';

const size = 12_000;
const flights = someFlights(size);
let codecs: Codecs;
let folder: string;

beforeAll(async () => {
  codecs = await openCodecs();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-loader-'));
});
afterEach(() => rm(folder, { recursive: true }));

const options = (log: MemoryLog, more: Partial<LoadOptions> = {}): LoadOptions => ({
  limit: size,
  seed: 1,
  clean: false,
  manifestFile: join(folder, 'manifest.json'),
  producer: log.producer,
  encoders: codecs,
  endOffsets: log.endOffsets,
  flights: async () => flights,
  clock: { now: () => 0, sleep: async () => {} },
  ...more,
});

const contents = (log: MemoryLog) =>
  [...log.topics].map(([topic, partitions]) => [topic, partitions.map((records) => records.map(plain))]);
const plain = ({ key, value, timestampMs }: OutgoingRecord) =>
  `${Buffer.from(key ?? []).toString()} ${timestampMs} ${value && Buffer.from(value).toString('hex')}`;

/** What a reader that knows nothing of the loader finds in a topic: an outcome for every record. */
function outcomes(
  codec: Codecs['departed'] | Codecs['arrived'],
  records: readonly OutgoingRecord[],
): Record<string, number> {
  const found: Record<string, number> = {};
  const seen = new Set<number>();
  let newestMs = 0;
  const count = (outcome: string) => {
    found[outcome] = (found[outcome] ?? 0) + 1;
  };
  for (const { value } of records) {
    if (value === null) {
      count('tombstone');
      continue;
    }
    try {
      const event = codec.decode(value);
      if (seen.has(event.flightId)) count('duplicate');
      else if ('delayMinutes' in event) {
        if (Math.abs(event.delayMinutes) > 2_000) count('range:delayMinutes');
        else count(event.flightId < size ? 'learned' : 'unmatched');
      } else if (event.origin === null) count('null:origin');
      else if (event.destination === null) count('null:destination');
      else if (event.distance !== null && (event.distance < 1 || event.distance > 12_000)) count('range:distance');
      else if (event.departedAt < newestMs - 12 * 3_600_000) count('stale');
      else {
        count('prediction');
        if (event.distance === null) count('imputed');
      }
      seen.add(event.flightId);
      if ('departedAt' in event) newestMs = Math.max(newestMs, event.departedAt);
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      count(error.reason);
    }
  }
  return found;
}

/** The same, as the manifest says it must be. */
function promised(manifest: Manifest, side: 'departed' | 'arrived'): Record<string, number> {
  const { flights: predicted, duplicates, imputed, unmatched, deadLettersByReason } = expectedOf(manifest, side);
  const whole: Record<string, number> =
    side === 'departed' ? { prediction: predicted, imputed } : { learned: predicted, unmatched };
  return { ...whole, duplicate: duplicates, ...deadLettersByReason };
}

describe('loadFlights', () => {
  it('writes what its manifest says, kind by kind, and every flight once', async () => {
    const log = memoryLog();
    const manifest = await loadFlights(options(log));
    expect(manifest.complete).toBe(true);
    for (const side of ['departed', 'arrived'] as const) {
      const partitions = log.topics.get(topics[side]) ?? [];
      const records = partitions.flat();
      await codecs[side].prepare(records.map((record, offset) => ({ ...record, offset })));
      // Duplicates and stale records can only be told in the order of their own partition.
      const found: Record<string, number> = {};
      for (const partition of partitions) {
        for (const [outcome, count] of Object.entries(outcomes(codecs[side], partition)))
          found[outcome] = (found[outcome] ?? 0) + count;
      }
      expect(found).toEqual(promised(manifest, side));
      expect(manifest.records[side]).toEqual(partitions.map((partition) => partition.length));
      expect(expectedOf(manifest, side).flights).toBe(size);
      expect(Object.values(found).every((count) => count > 0)).toBe(true);
    }
    const { read, flights: predicted, duplicates, deadLetters } = expectedOf(manifest, 'departed');
    expect(read).toBe(predicted + duplicates + deadLetters);
    expect(await readManifest(join(folder, 'manifest.json'))).toEqual(manifest);
  });

  it('keys by the real origin, gives nothing of the future away, and keeps time order', async () => {
    const log = memoryLog();
    await loadFlights(options(log));
    for (const partition of log.topics.get(topics.departed) ?? []) {
      let last = 0;
      for (const { key, value, timestampMs } of partition) {
        expect(timestampMs).toBeGreaterThanOrEqual(last);
        last = timestampMs;
        expect(flights.airports).toContain(Buffer.from(key ?? []).toString());
        expect(value).not.toBeNull();
      }
    }
    const arrivals = (log.topics.get(topics.arrived) ?? []).flat();
    expect(arrivals.every(({ timestampMs }) => timestampMs >= (flights.departedMinute[0] ?? 0) * 60_000)).toBe(true);
  });

  it('writes the same whatever the size of its chunks', async () => {
    const whole = memoryLog();
    await loadFlights(options(whole));
    await rm(join(folder, 'manifest.json'));
    const paced = memoryLog();
    await loadFlights(options(paced, { rate: 1_370 }));
    expect(paced.sends.length).toBeGreaterThan(whole.sends.length);
    expect(contents(paced)).toEqual(contents(whole));
  });

  it('goes on after being cut off anywhere, partition by partition', async () => {
    const whole = memoryLog();
    await loadFlights(options(whole));
    const manifestFile = join(folder, 'manifest.json');
    const unfinished = JSON.stringify({ ...JSON.parse(await readFile(manifestFile, 'utf8')), complete: false });
    const cut = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { minLength: 8, maxLength: 8 }), async (cuts) => {
        const log = memoryLog();
        let n = 0;
        for (const [topic, partitions] of whole.topics) {
          log.topics.set(
            topic,
            partitions.map((records) => records.slice(0, Math.round(records.length * (cuts[n++] ?? 0)))),
          );
        }
        await writeFile(manifestFile, unfinished);
        expect((await loadFlights(options(log))).complete).toBe(true);
        expect(contents(log)).toEqual(contents(whole));
      }),
      { numRuns: 8 },
    );
  });

  it('stops on request and is not complete before it went on', async () => {
    const log = memoryLog();
    const stop = new AbortController();
    const seen: number[] = [];
    const stopped = await loadFlights(
      options(log, {
        rate: 5_000,
        signal: stop.signal,
        onProgress: ({ written, total, streamTimeMs }) => {
          seen.push(written);
          expect(total).toBeGreaterThan(2 * size);
          expect(streamTimeMs).toBeGreaterThan(Date.UTC(2000, 11, 31));
          if (seen.length === 3) stop.abort();
        },
      }),
    );
    expect(stopped.complete).toBe(false);
    expect(seen).toEqual([500, 1_000, 1_500]);
    const whole = memoryLog();
    expect((await loadFlights(options(log))).complete).toBe(true);
    await rm(join(folder, 'manifest.json'));
    await loadFlights(options(whole));
    expect(contents(log)).toEqual(contents(whole));
  });

  it('leaves a finished load alone', async () => {
    const log = memoryLog();
    const manifest = await loadFlights(options(log));
    const sends = log.sends.length;
    const again = await loadFlights(
      options(log, { flights: () => Promise.reject(new Error('the flights were read again')) }),
    );
    expect(again).toEqual(manifest);
    expect(log.sends.length).toBe(sends);
  });

  it('refuses to mix settings', async () => {
    const log = memoryLog();
    await loadFlights(options(log, { clean: true }));
    await expect(loadFlights(options(log, { seed: 2 }))).rejects.toMatchObject({
      code: 'config',
      message: 'the flights in the log were loaded with other settings (seed 1, not 2; clean true, not false)',
      hint: expect.stringContaining('--fresh'),
    });
    await writeFile(join(folder, 'manifest.json'), '{');
    await expect(loadFlights(options(log))).rejects.toMatchObject({
      code: 'config',
      hint: expect.stringContaining('--fresh'),
    });
  });

  it('keeps to a rate by the clock', async () => {
    let now = 1_000;
    const clock = {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
    await loadFlights(options(memoryLog(), { rate: 1_000, clean: true, clock }));
    expect(now - 1_000).toBeCloseTo((2 * size) / 1, -2);
  });
});
