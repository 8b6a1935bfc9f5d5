import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { openWorld, sourceOf, topicSinkOf, valuesIn } from '../../connectors/embedded/world.js';

type Numbered = { readonly n: number };

export const sinks = {
  async 'kafka.sink'(): Promise<SinkFaultWorld> {
    const { embedded, close } = await openWorld();
    return {
      driver: embedded.topicSink,
      sink: topicSinkOf('out', { key: (value) => `k${(value as Numbered).n % 7}` }),
      openLedger: embedded.openLedger,
      value: (n) => ({ n }),
      keyOf: (n) => n % 7,
      visible: async () => ((await valuesIn(embedded, 'out')) as Numbered[]).map(({ n }) => n),
      close,
    };
  },
};

export const sources = {
  async 'kafka.source'(): Promise<SourceFaultWorld> {
    const { embedded, close } = await openWorld();
    await embedded.producer().createTopic('in', 1);
    return {
      driver: embedded.source,
      source: sourceOf('in'),
      append: (numbers) =>
        embedded.append(
          'in',
          0,
          numbers.map((n) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n })),
        ),
      numberOf: ({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as Numbered).n,
      close,
    };
  },
};
