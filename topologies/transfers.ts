import { days, flatMap, topology } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import { BalanceV1 } from '../schemas/balance.v1.js';
import { type Leg, LegV1 } from '../schemas/leg.v1.js';
import { type Transfer, TransferV1 } from '../schemas/transfer.v1.js';
import { keepBalance } from './keep-balance.js';

/** Amounts move between accounts that different tasks keep; all topics, keys and tables have the topology's name. */
export const transfersOf = (name: string) =>
  topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
    const balances = t
      .source('transfers', kafka.source({ topic: `${name}.v1`, schema: TransferV1, eventTime: (f) => f.bookedAt }))
      .via(
        'legs',
        flatMap(({ transferId, from, to, amountCents, bookedAt }: Transfer): Leg[] => [
          { transferId, account: from, amountCents: -amountCents, bookedAt },
          { transferId, account: to, amountCents, bookedAt },
        ]),
      )
      .repartition('by-account', { key: (leg) => leg.account, schema: LegV1 })
      .via('balance', keepBalance());

    balances.to('balances', kafka.sink({ topic: `${name}.balances.v1`, schema: BalanceV1, key: (b) => b.account }));
    balances.to('online', redis.hashSink({ key: (b) => `${name}:account:${b.account}`, ttl: days(30) }));
    balances.to(
      'history',
      clickhouse.tableSink({
        table: `${name.replaceAll(/\W/g, '_')}_balances`,
        columns: {
          account: 'String',
          balanceCents: 'Int64',
          transferId: 'Int64',
          amountCents: 'Int64',
          bookedAt: 'DateTime64(3)',
        },
        orderBy: ['account', 'bookedAt'],
      }),
    );
  });

export const transfers = transfersOf('transfers');
