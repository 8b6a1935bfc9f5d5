import { afterAll, expect, it, describe as suite } from 'vitest';
import type { Balance } from '../../schemas/balance.v1.js';
import type { Transfer } from '../../schemas/transfer.v1.js';
import { TopologyTest } from '../../src/testing/topology-test.js';
import { check, deliveryOn, describe, mermaid } from '../../src/topology/index.js';
import { transfers } from '../../topologies/transfers.js';

suite('the transfers topology', () => {
  const test = new TopologyTest(transfers, { partitions: 4 });
  afterAll(() => test.close());

  it('has no problems', () => {
    expect(check(transfers)).toEqual([]);
  });

  it('is the golden text on both profiles, and the golden drawing', async () => {
    await expect(describe(transfers, deliveryOn('embedded'))).toMatchFileSnapshot('../golden/transfers.txt');
    await expect(describe(transfers, deliveryOn('cluster'))).toMatchFileSnapshot('../golden/transfers.cluster.txt');
    await expect(mermaid(transfers)).toMatchFileSnapshot('../golden/transfers.mmd');
  });

  it('moves every amount from one account to the other, over several runs', async () => {
    const all = Array.from(
      { length: 400 },
      (_, transferId): Transfer => ({
        transferId,
        from: `a${transferId % 7}`,
        to: `b${transferId % 11}`,
        amountCents: 1 + (transferId % 100),
        bookedAt: 1_700_000_000_000 + transferId,
      }),
    );
    for (const part of [all.slice(0, 150), all.slice(150)]) {
      for (let task = 0; task < 4; task++)
        await test.pipe(
          'transfers',
          part.filter(({ transferId }) => transferId % 4 === task),
          task,
        );
      await test.run();
    }
    const balances = test.output('balances') as Balance[];
    const legs = new Map<number, number[]>();
    const last = new Map<string, number>();
    for (const { account, balanceCents, transferId, amountCents } of balances) {
      expect(balanceCents).toBe((last.get(account) ?? 0) + amountCents);
      last.set(account, balanceCents);
      legs.set(transferId, [...(legs.get(transferId) ?? []), amountCents]);
    }
    expect(legs.size).toBe(400);
    for (const amounts of legs.values()) expect(amounts.reduce((a, b) => a + b)).toBe(0);
    expect([...last.values()].reduce((a, b) => a + b)).toBe(0);
  });
});
