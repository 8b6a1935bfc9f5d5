import { expect, it, describe as suite } from 'vitest';
import { type Duration, type Sink, seconds, type WriteMode } from '../../src/core/index.js';
import { deliveryOf, describe, topology } from '../../src/topology/index.js';
import { deadLetters, type Order, orders, tableSink, topicSource } from './fixtures.js';

const modes: Record<string, WriteMode> = { kafka: 'transactional', clickhouse: 'idempotent' };
const delivery = ({ connector }: Sink<unknown>) => deliveryOf(modes[connector] ?? 'append');

suite('describe', () => {
  it('is the golden text, guarantees included', async () => {
    await expect(describe(orders, delivery)).toMatchFileSnapshot('../golden/orders.txt');
  });

  it('claims no guarantee where the profile is unknown', () => {
    expect(describe(orders)).not.toMatch(/once/);
    expect(describe(orders).split('\n')).toHaveLength(describe(orders, delivery).split('\n').length);
  });

  it('says what a sink guarantees where a clock decides: it is written after the checkpoint', () => {
    const promised = (idleTimeout?: Duration) =>
      describe(
        topology('idle', { deadLetters, metrics: tableSink('metrics') }, (t) => {
          t.source('in', topicSource<Order>('in', { idleTimeout })).to('rows', tableSink('rows'));
        }),
        (sink) => deliveryOf(modes[sink.connector] ?? 'append', sink.deferred !== undefined),
      ).match(/\S+ +<-.*once/g);
    expect(promised()?.map((line) => line.replace(/ +<-.*\[/, ' '))).toEqual([
      'rows effectively-once',
      'deadLetters exactly-once',
      'metrics effectively-once',
    ]);
    expect(promised(seconds(1))?.map((line) => line.replace(/ +<-.*\[/, ' '))).toEqual([
      'rows exactly-once',
      'deadLetters exactly-once',
      'metrics effectively-once',
    ]);
  });

  it('does not depend on the order in which settings were written', () => {
    const [dedupe, ...others] = orders.steps;
    const reversed = Object.fromEntries(Object.entries(dedupe?.settings ?? {}).reverse());
    const rewritten = { ...orders, steps: [{ ...dedupe, settings: reversed }, ...others] };
    expect(describe(rewritten as typeof orders)).toBe(describe(orders));
  });

  it('computes the guarantee from the way of writing', () => {
    expect([deliveryOf('transactional'), deliveryOf('idempotent'), deliveryOf('append')]).toEqual([
      'exactly-once',
      'effectively-once',
      'at-least-once',
    ]);
    expect([deliveryOf('idempotent', true), deliveryOf('append', true)]).toEqual(['exactly-once', 'at-least-once']);
  });
});
