import { expect, it, describe as suite } from 'vitest';
import type { Sink, WriteMode } from '../../src/core/index.js';
import { deliveryOf, describe } from '../../src/topology/index.js';
import { orders } from './fixtures.js';

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
