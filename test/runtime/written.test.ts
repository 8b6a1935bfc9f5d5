import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { json, topology } from '../../src/index.js';
import { written } from '../../src/runtime/steps.js';
import { originAt } from '../../src/testing/contract.js';
import { TopologyTest } from '../../src/testing.js';

interface Order {
  readonly id?: string;
  readonly at: number;
}

describe('a value that cannot be written', () => {
  it('does not move to another partition for want of a key', async () => {
    const built = topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      t.source('orders', kafka.source({ topic: 'in', schema: json<Order>(), eventTime: ({ at }) => at }))
        .repartition('by-id', { key: (order) => order.id as string, schema: json<Order>() })
        .to('out', kafka.sink({ topic: 'out', schema: json<Order>() }));
    });
    const run = new TopologyTest(built);
    await run.pipe('orders', [{ id: 'a', at: 1 }, { at: 2 }]);
    await run.run();
    expect(run.deadLetters()).toMatchObject([{ reason: 'unrepresentable', detail: 'the key is undefined, not text' }]);
    await run.close();
  });

  it.each([
    [
      'at once',
      () => {
        throw new TypeError('no foo');
      },
    ],
    [
      'later',
      async () => {
        throw new TypeError('no foo');
      },
    ],
  ])('is told with its sink where the sink throws %s', async (_, write) => {
    const chunk = { values: [1], origins: [originAt(0)] } as never;
    const give = async () => written({ write, close: async () => undefined }, 'out', chunk);
    await expect(give()).rejects.toMatchObject({
      code: 'sink',
      where: 'out',
      message: 'a callback of the sink threw: no foo',
    });
  });
});
