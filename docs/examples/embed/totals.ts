import { days, hours, json, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { count, sum, tumbling } from 'millrace/window';

interface Payment {
  readonly card: string;
  readonly amount: number;
  readonly paidAt: number;
}

/** The total of each card per day. The open window of a card can be queried. */
export const totals = topology('totals', { deadLetters: kafka.deadLetterSink({ topic: 'payments.dead' }) }, (t) => {
  t.source('payments', kafka.source({ topic: 'payments', schema: json<Payment>(), eventTime: (p) => p.paidAt }))
    .via(
      'totals',
      window({
        key: (p) => p.card,
        window: tumbling(days(1)),
        aggregate: { payments: count(), amount: sum((p) => p.amount) },
        allowedLateness: hours(1),
        keysMax: 100_000,
      }),
    )
    .to('days', kafka.sink({ topic: 'payments.days', schema: json() }));
});
