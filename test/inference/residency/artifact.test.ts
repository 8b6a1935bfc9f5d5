import { expect, test } from 'vitest';
import { type Artifact, createArtifact, type Place } from '../../../src/inference/artifact.js';
import type { ModelFile } from '../../../src/inference/model-file.js';
import { modelResidents } from '../../../src/inference/residency/residents.js';
import type { LoadedModel } from '../../../src/inference/workers/protocol.js';
import { reservations } from '../../../src/inference/workers/reservations.js';
import type { WorkerSlot } from '../../../src/inference/workers/worker-slot.js';

/** Workers, with what they do and whether they are reserved meanwhile. */
function workers(count: number) {
  const events: string[] = [];
  const reserve = reservations(count);
  const places = Array.from({ length: count }, (_, worker): Place => {
    let isReserved = false;
    const note = (what: string) => void events.push(`${what} ${worker}${isReserved ? '' : ', among batches'}`);
    const slot: Pick<WorkerSlot, 'load' | 'unload' | 'run'> = {
      async load({ ask }) {
        note(`load ${ask.artifact.slice(2, 3)}`);
        return loaded(ask.fileBytes);
      },
      async unload(artifact) {
        note(`unload ${artifact.slice(2, 3)}`);
      },
      async run({ input }) {
        note('measure');
        return { ms: 1, answer: { ms: 0.5, input, scores: new Float32Array(1), failures: [] } };
      },
    };
    return {
      slot: slot as WorkerSlot,
      reserve: (work) =>
        reserve((is) => {
          isReserved = is;
        }, work),
    };
  });
  return { events, places };
}

const loaded = (memoryBytes: number): LoadedModel => ({
  ...{ session: 0, inputs: [], lengths: [1], outputSize: 1, inPairs: false, curves: [[{ rows: 1, ms: 1 }]] },
  ...{ provider: 'cpu', refusals: [], memoryBytes, loadMs: 0 },
});

const file = (digest: string): ModelFile => ({
  ...{ name: digest, place: '', digest, bytes: 40, data: [] },
  close: async () => {},
});

test('a worker that loads, measures or releases a model gets no batches meanwhile, and the other one does', async () => {
  const { events, places } = workers(2);
  const residents = modelResidents({ memoryMax: 100, nowMs: () => 0, sleep: async () => {}, onWarning() {} });
  const spec = { model: '', batchMax: 8, waitMax: 5, providers: ['cpu'] };
  const [a, b] = ['a', 'b'].map((digest) => createArtifact(file(digest), spec, { places, residents }));
  await a?.open(8);
  await b?.open(8);
  await a?.gate.hold(async () => {});
  const each = ['load', 'unload'].flatMap((does) => ['a 0', 'a 1', 'b 0', 'b 1'].map((what) => `${does} ${what}`));
  expect(new Set(events)).toEqual(new Set([...each, 'measure 0']));
});

test('what batches of one more size take counts, and others leave for it', async () => {
  const { events, places } = workers(1);
  const residents = modelResidents({ memoryMax: 100, nowMs: () => 0, sleep: async () => {}, onWarning() {} });
  const spec = { model: '', batchMax: 8, waitMax: 5, providers: ['cpu'] };
  const [a, b] = ['a', 'b'].map((digest) => createArtifact(file(digest), spec, { places, residents })) as [
    Artifact,
    Artifact,
  ];
  await a.open(8);
  await b.open(8);
  expect(b.gate.stats().residentBytes).toBe(40);
  await b.open(64);
  await residents.idle();
  expect(b.gate.stats().residentBytes).toBe(80);
  expect(events.at(-1)).toMatch(/^unload a/);
});
