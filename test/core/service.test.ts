import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { defineService, MillraceError, provide, RowFailure, serviceRegistry } from '../../src/core/index.js';
import { type Adds, json, topology } from '../../src/index.js';
import { batched, withField } from '../../src/operator.js';
import { TopologyTest } from '../../src/testing.js';

interface Payment {
  readonly amount: number;
  readonly currency: string;
}
interface Rates {
  rateOf(currency: string): Promise<number | undefined>;
}
const rates = defineService<Rates>('rates');

const inEuros = () =>
  batched<Payment, Adds<{ euros: number }>>({
    kind: 'in-euros',
    open: async (_context, services) => {
      const { rateOf } = services.get(rates);
      return {
        onBatch: (payments) =>
          Promise.all(
            payments.map(async (payment) => {
              const rate = await rateOf(payment.currency);
              return rate === undefined
                ? new RowFailure('rate', `no rate for ${payment.currency}`)
                : withField(payment, 'euros', payment.amount * rate);
            }),
          ),
      };
    },
  });

const flow = topology('payments', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('payments', kafka.source({ topic: 'payments', schema: json<Payment>() }))
    .via('euros', inEuros())
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});

describe('services', () => {
  it('are what the process provides to batched steps', async () => {
    const rateOf = async (currency: string) => ({ USD: 0.5 })[currency];
    const test = new TopologyTest(flow, { services: [provide(rates, { rateOf })] });
    await test.pipe('payments', [
      { amount: 3, currency: 'USD' },
      { amount: 4, currency: 'XXX' },
    ]);
    await test.run();
    expect(test.output('out')).toEqual([{ amount: 3, currency: 'USD', euros: 1.5 }]);
    expect(test.deadLetters()).toMatchObject([{ reason: 'rate', detail: 'no rate for XXX', step: 'euros' }]);
    await test.close();
  });

  it('stop a topology whose step asks for one that is not there, by its name', async () => {
    const test = new TopologyTest(flow);
    await expect(test.run()).rejects.toMatchObject({ code: 'config', where: 'rates' });
    await test.close();
  });

  it('are provided once', () => {
    const twice = [provide(rates, { rateOf: async () => 1 }), provide(rates, { rateOf: async () => 2 })];
    expect(() => serviceRegistry(twice)).toThrow(MillraceError);
  });
});
