import { describe, expect, it } from 'vitest';
import { bytesOf, type Operator, type Profile, type SourceDriver } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

const MIB = 1024 * 1024;
const TOPIC = 'documents';

interface World {
  /** Bytes polled and not yet seen by the step, at their highest. */
  readonly waitingMost: number;
  /** Bytes that the step held, at their highest. */
  readonly heldMost: number;
  readonly commits: number;
  readonly written: number;
}

/** Runs records of these texts through a step that takes its time. */
async function run(texts: readonly string[], inFlightBytesMax: number): Promise<World> {
  const memory = new MemoryProfile(1);
  memory.append(
    TOPIC,
    0,
    texts.map((text, timestampMs) => ({ key: null, value: Buffer.from(text), timestampMs })),
  );
  let [waiting, waitingMost, held, heldMost, commits] = [0, 0, 0, 0, 0];
  const profile: Profile = {
    name: 'watched',
    schemas: memory.schemas,
    openLedger: (task) => memory.openLedger(task),
    close: () => memory.close(),
    sinks: memory.sinks,
    sources: {
      memory: {
        partitions: async () => 1,
        open: async (...args) => {
          const reader = await (memory.sources.memory as SourceDriver).open(...args);
          return {
            ...reader,
            poll: async (recordsMax, bytesMax) => {
              const polled = await reader.poll(recordsMax, bytesMax);
              for (const record of polled.records) waiting += bytesOf(record);
              waitingMost = Math.max(waitingMost, waiting);
              return polled;
            },
          };
        },
      },
    },
  };
  const slow: Operator<unknown, unknown> = {
    kind: 'slow',
    settings: {},
    shape: {
      shape: 'batched',
      open: async () => ({
        async onBatch(values, origins) {
          const bytes = origins.reduce((sum, { raw }) => sum + (raw?.length ?? 0), 0);
          waiting -= bytes;
          held += bytes;
          heldMost = Math.max(heldMost, held);
          await new Promise((resolve) => setTimeout(resolve, 2));
          held -= bytes;
          return values.map(() => 'done');
        },
      }),
    },
  };
  const documents = topology(TOPIC, { deadLetters: memorySink() }, (t) => {
    t.source(
      TOPIC,
      memorySource<unknown>(TOPIC, (_, timestampMs) => timestampMs),
    )
      .via('slow', slow)
      .to('out', memorySink());
  });
  const running = await runTopology(documents, {
    profile,
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
    inFlightBytesMax,
    onPoint: (point) => {
      if (point === 'committed') commits += 1;
    },
  });
  await running.finished;
  return { waitingMost, heldMost, commits, written: memory.outputOf('out').length };
}

const textOf = (bytes: number) => JSON.stringify('x'.repeat(bytes - 2));

describe('bytes in flight', () => {
  it('are bounded from the poll to the sinks, however few records they are', async () => {
    const record = MIB / 4;
    const { waitingMost, heldMost, written } = await run(new Array(96).fill(textOf(record)), 4 * MIB);
    expect(written).toBe(96);
    // A quarter may be buffered and half be on its way; each may be exceeded by the record that reaches it.
    expect(waitingMost).toBeLessThanOrEqual(MIB + record);
    expect(heldMost).toBeLessThanOrEqual(2 * MIB + record);
    expect(heldMost).toBeGreaterThan(record);
  });

  it('count what values take, which may be many times their bytes', async () => {
    // Each is a list of 32,768 empty lists: 96 KiB of text and 1.5 MiB in memory.
    const { heldMost, written } = await run(new Array(40).fill(`[${'[],'.repeat(32_767)}[]]`), 4 * MIB);
    expect(written).toBe(40);
    expect(heldMost).toBeLessThanOrEqual(3 * 98_305);
  });

  it('let a record pass that is larger than all of them together', async () => {
    expect((await run([textOf(3 * MIB), textOf(100), textOf(3 * MIB)], MIB)).written).toBe(3);
  });

  it('are committed before the interval ends where sinks would have to keep too many', async () => {
    expect((await run(new Array(64).fill(textOf(MIB / 4)), 4 * MIB)).commits).toBeGreaterThanOrEqual(6);
    expect((await run(new Array(64).fill(textOf(MIB / 4)), 400 * MIB)).commits).toBe(1);
  });
});
