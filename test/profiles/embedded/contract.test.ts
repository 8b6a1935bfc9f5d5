import { describe, it } from 'vitest';
import { deadLetterHeaders } from '../../../connectors/kafka/topic-options.js';
import { hashFields } from '../../../connectors/redis/hash-fields.js';
import { type ContractCheck, originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { ledgerContract } from '../../../src/testing/ledger-contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { sourceContract } from '../../../src/testing/source-contract.js';
import { deadLetterSinkOf, hashSinkOf, openWorld, sourceOf, topicSinkOf, valuesIn } from './world.js';

const runAll = (checks: readonly ContractCheck[]) => {
  for (const { name, run } of checks) it(name, run);
};

describe('the embedded log as a source', () => {
  runAll(
    sourceContract(async () => {
      const { embedded, close } = await openWorld();
      await embedded.producer().createTopic('in', 2);
      return {
        driver: embedded.source,
        source: sourceOf('in'),
        append: (partition, records) => embedded.append('in', partition, records),
        close,
      };
    }),
  );
});

describe('topics of the embedded log as a sink', () => {
  runAll(
    sinkContract('transactional', async () => {
      const { embedded, close } = await openWorld();
      return {
        driver: embedded.topicSink,
        sink: topicSinkOf('out', { key: (value) => `k${(value as { n: number }).n % 7}` }),
        openLedger: embedded.openLedger,
        value: (n) => ({ n }),
        visible: async () => ((await valuesIn(embedded, 'out')) as { n: number }[]).map(({ n }) => n),
        close,
      };
    }),
  );
});

describe('dead letters in the embedded log', () => {
  runAll(
    sinkContract('transactional', async () => {
      const { embedded, close } = await openWorld();
      return {
        driver: embedded.topicSink,
        sink: deadLetterSinkOf('dead') as never,
        openLedger: embedded.openLedger,
        value: (n) => ({ reason: 'r', detail: 'd', step: 's', origin: originAt(n, n % 2) }),
        visible: async () => {
          const ends = await embedded.endOffsets('dead');
          return ends.flatMap((_, partition) =>
            Array.from(embedded.scan('dead', partition), ({ headers = [] }) =>
              Number(Buffer.from(new Map(headers).get(deadLetterHeaders.offset) ?? []).toString()),
            ),
          );
        },
        close,
      };
    }),
  );
});

describe('hashes of the embedded store', () => {
  runAll(
    sinkContract('transactional', async () => {
      const { embedded, close } = await openWorld();
      return {
        driver: embedded.hashSink,
        sink: hashSinkOf((value) => `n:${(value as { n: number }).n}`),
        openLedger: embedded.openLedger,
        value: (n) => ({ n, nothing: null }),
        visible: async () => [...embedded.hashes()].map(({ fields }) => Number(fields.n)),
        close,
      };
    }),
  );
});

describe('hostile values', () => {
  const row = (n: number, v: unknown) => ({ n, v });

  describe('in a topic of the embedded log', () => {
    runAll(
      hostileValuesContract(async () => {
        const { embedded, close } = await openWorld();
        return {
          driver: embedded.topicSink,
          sink: topicSinkOf('out'),
          openLedger: embedded.openLedger,
          row,
          plain: 'plain',
          read: async () =>
            new Map(((await valuesIn(embedded, 'out')) as { n: number; v: unknown }[]).map(({ n, v }) => [n, v])),
          stored: asJson,
          close,
        };
      }),
    );
  });

  describe('in hashes of the embedded store', () => {
    runAll(
      hostileValuesContract(async () => {
        const { embedded, close } = await openWorld();
        return {
          driver: embedded.hashSink,
          sink: hashSinkOf((value) => `n:${(value as { n: number }).n}`),
          openLedger: embedded.openLedger,
          row,
          plain: 'plain',
          read: async () => new Map([...embedded.hashes()].map(({ fields }) => [Number(fields.n), fields.v])),
          stored: (value) => hashFields({ value }).value,
          close,
        };
      }),
    );
  });
});

describe('the embedded ledger', () => {
  runAll(
    ledgerContract(async () => {
      const world = await openWorld();
      return {
        openLedger: (task) => world.embedded.openLedger(task),
        restart: () => world.restart(),
        close: world.close,
      };
    }),
  );
});
