import { afterAll, expect, it } from 'vitest';
import { map } from '../../../src/operators/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { good, letterOf, letters, oversized, records } from '../../oversized.js';
import { deadLetterSinkOf, hashSinkOf, openWorld, sourceOf, valuesIn } from './world.js';

const world = await openWorld();
afterAll(() => world.close());

async function run(flow: ReturnType<typeof oversized>): Promise<void> {
  const { embedded } = world;
  const profile = {
    name: 'test',
    sources: { kafka: embedded.source },
    sinks: { kafka: embedded.topicSink, redis: embedded.hashSink },
    openLedger: embedded.openLedger,
    schemas: localRegistry(),
    close: async () => undefined,
  };
  await (await runTopology(flow, { profile, inference: noInference, bounded: true })).finished;
}

const lettersIn = (topic: string) =>
  [...world.embedded.scan(topic, 0)].map(({ headers = [] }) =>
    letterOf(headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString()] as const)),
  );

it('records that are too large for their topics become dead letters, and all others are committed', async () => {
  const { embedded } = world;
  await embedded.producer().createTopic('large.in', 1);
  await embedded.append('large.in', 0, records);
  await run(oversized('large'));
  expect(await valuesIn(embedded, 'large.out')).toEqual(good.map((n) => ({ n })));
  expect(lettersIn('large.dead')).toEqual(letters);
});

it('a hash whose key the store cannot take becomes a dead letter, and all others are committed', async () => {
  const { embedded } = world;
  await embedded.producer().createTopic('keys.in', 1);
  const numbers = [0, 1, 2].map((n) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n }));
  await embedded.append('keys.in', 0, numbers);
  const keyOf = (value: unknown) =>
    (value as { n: number }).n === 1 ? 'k'.repeat(2_000) : `k${(value as { n: number }).n}`;
  await run(
    topology('keys', { deadLetters: deadLetterSinkOf('keys.dead') }, (t) => {
      t.source('in', sourceOf('keys.in'))
        .via(
          'same',
          map((value) => value),
        )
        .to('out', hashSinkOf(keyOf));
    }),
  );
  expect([...embedded.hashes()].map(({ key }) => key)).toEqual(['k0', 'k2']);
  expect(lettersIn('keys.dead')).toMatchObject([{ offset: '1', reason: 'unrepresentable' }]);
});
