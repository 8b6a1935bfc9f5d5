import { expect, it } from 'vitest';
import type { SourceDriver } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Numbered {
  readonly n: number;
}

const source = memorySource<Numbered>('numbers', ({ n }) => n);
const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
  t.source('numbers', source).to('out', memorySink());
});

const recordAt = (n: number) => ({
  offset: n,
  timestampMs: n,
  key: null,
  value: Buffer.from(JSON.stringify({ n })),
});

/** A log of which nothing from 3 to 6 is left, and nothing at its end either until `more` says so. */
function torn(more: boolean): SourceDriver {
  return {
    partitions: async () => 1,
    open: async (_source, { offset }) => {
      const parts =
        offset < 3
          ? [
              { records: [0, 1, 2].map(recordAt) },
              { records: [], skipped: 4 },
              ...(more ? [{ records: [7, 8].map(recordAt) }] : []),
            ]
          : offset === 3
            ? [{ records: [], skipped: 4 }, ...(more ? [{ records: [7, 8].map(recordAt) }] : [])]
            : [];
      return {
        poll: async () => ({ ...(parts.shift() ?? { records: [] }), ended: parts.length === 0 }),
        close: async () => undefined,
      };
    },
  };
}

it('records that are gone are counted once, with the checkpoint that has passed them', async () => {
  const memory = new MemoryProfile(1);
  const run = async (more: boolean) => {
    const profile = {
      name: 'torn',
      sources: { memory: torn(more) },
      sinks: memory.sinks,
      openLedger: memory.openLedger.bind(memory),
      schemas: memory.schemas,
      close: async () => undefined,
    };
    const options = { profile, inference: noInference, bounded: true, clock: new VirtualClock() };
    const running = await runTopology(flow, options);
    await running.finished;
    return running.snapshot().counters.find(({ name }) => name === 'skipped')?.value ?? 0;
  };
  expect(await run(false)).toBe(0); // the position is before them: the next run comes back
  expect(memory.checkpointOf(0)?.positions.numbers?.offset).toBe(3);
  expect(await run(true)).toBe(4);
  expect(memory.checkpointOf(0)?.positions.numbers?.offset).toBe(9);
  expect(await run(true)).toBe(4);
  expect(memory.outputOf('out').map(({ value }) => (value as Numbered).n)).toEqual([0, 1, 2, 7, 8]);
});
