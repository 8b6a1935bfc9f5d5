import { kafka } from '../../connectors/kafka/index.js';
import type { Schema } from '../../src/core/index.js';
import { stateful } from '../../src/core/index.js';
import { mapCell } from '../../src/state/index.js';
import { topology } from '../../src/topology/index.js';

/** A payment into an account. A probe is answered; the others only make state. */
export interface Payment {
  readonly account: string;
  readonly amount: number;
  /** When it was sent, for probes; 0 otherwise. */
  readonly probeMs: number;
}

/** What an account looked like after a probe. */
export interface Balance {
  readonly account: string;
  readonly task: number;
  readonly payments: number;
  readonly probeMs: number;
}

/** Kept of every account: with its key, about 107 bytes in the changelog. */
interface Account {
  payments: number;
  total: number;
  lastMs: number;
  readonly holder: string;
}

export const topics = { payments: 'failover.payments', balances: 'failover.balances', dead: 'failover.dead' } as const;

export const paymentSchema: Schema<Payment> = {
  format: 'avro',
  subject: 'failover.payments-value',
  definition: JSON.stringify({
    type: 'record',
    name: 'Payment',
    fields: [
      { name: 'account', type: 'string' },
      { name: 'amount', type: 'int' },
      { name: 'probeMs', type: 'double' },
    ],
  }),
};

export const balanceSchema: Schema<Balance> = {
  format: 'json',
  subject: 'failover.balances-value',
  definition: undefined,
};

const HOLDER = 'a name and an address of a usual length';

const accounts = stateful<Payment, Balance, { accounts: ReturnType<typeof mapCell<string, Account>> }>({
  kind: 'accounts',
  cells: { accounts: mapCell<string, Account>() },
  open({ accounts }, { task }) {
    return {
      onRecord(_input, { account, amount, probeMs }, emit, { eventTimeMs }) {
        const held = accounts.get(account) ?? { payments: 0, total: 0, lastMs: 0, holder: HOLDER };
        held.payments += 1;
        held.total += amount;
        held.lastMs = eventTimeMs;
        accounts.set(account, held);
        if (probeMs > 0) emit({ account, task, payments: held.payments, probeMs });
      },
    };
  },
});

/** Counts and sums by account. One topic of one partition takes the answers: it shows them when all before are decided. */
export const failover = topology('failover', { deadLetters: kafka.deadLetterSink({ topic: topics.dead }) }, (t) => {
  const payments = t.source('payments', kafka.source({ topic: topics.payments, schema: paymentSchema }));
  payments
    .via('accounts', accounts)
    .to('balances', kafka.sink({ topic: topics.balances, schema: balanceSchema, partitions: 1 }));
});
