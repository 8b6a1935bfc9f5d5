import { expect, it } from 'vitest';
import { hours, type InferenceService, millis, type Sink, type Source } from '../../src/core/index.js';
import { featureView, hashed } from '../../src/ml/features/index.js';
import { ftrl, logisticRegression } from '../../src/ml/index.js';
import { featurize, learn } from '../../src/operators/index.js';
import { type RunOptions, runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { topology } from '../../src/topology/index.js';

interface Row {
  readonly id: number;
}
const source = (topic: string): Source<Row> => ({
  connector: 'memory',
  kind: 'memory.source',
  topic,
  schema: { format: 'json', subject: topic, definition: undefined },
  settings: {},
  eventTimeOf: (value) => (value as Row).id,
});
const sink = <T>(): Sink<T> => ({ connector: 'memory', kind: 'memory.sink', settings: {}, options: {} });
const view = featureView({
  name: 'rows',
  version: 1,
  hashBits: 12,
  columns: { id: (row: Row) => row.id },
  features: { idIs: hashed('id') },
});
const learning = topology('learning', { deadLetters: sink() }, (t) => {
  // One input, whose end alone commits nothing: each row is its own label.
  const labels = t.source('rows', source('rows'));
  labels
    .via('features', featurize(view))
    .via(
      'model',
      { labels },
      learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
        as: 'said',
        view,
        key: ({ id }) => id,
        label: { key: ({ id }) => id, value: ({ id }) => id % 3 === 0, wait: hours(1) },
        pendingMax: 1_000,
      }),
    )
    .to('out', sink());
});

/** The cells of the model that are stored after a run, or after one that dies in an epoch. */
async function storedAfter(diesIn?: number): Promise<readonly string[]> {
  const memory = new MemoryProfile(1);
  memory.append(
    'rows',
    0,
    Array.from({ length: 400 }, (_, id) => ({
      key: null,
      value: Buffer.from(JSON.stringify({ id })),
      timestampMs: id,
    })),
  );
  let epochs = 0;
  const options: RunOptions = {
    profile: memory,
    inference: {} as InferenceService,
    epochInterval: millis(0),
    roundMax: 40,
    onPoint: (point) => {
      if (point === 'committed' && ++epochs === diesIn) throw new Error('killed');
    },
  };
  const running = await runTopology(learning, options);
  await running.finished.catch(() => undefined);
  const ledger = await memory.openLedger({ topology: 'learning', partition: 0 });
  const { state } = await ledger.restore();
  return [...new Set(state.filter(({ step }) => step === 'model').map(({ cell }) => cell))];
}

it('writes the snapshot of a model with the last epoch of a run, though no record has come since the one before', async () => {
  expect(await storedAfter(6)).toContain('model-update-log');
  const ended = await storedAfter();
  expect(ended).not.toContain('model-update-log');
  expect(ended).toContain('model-weights');
});
