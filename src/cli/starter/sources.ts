// The files of a first topology, as text: what a newcomer reads, so every line of them earns its place.

export const topologyFile = `// A topology: one value that says what is read, what happens to it, and where it goes.
// \`millrace check payments.ts\` looks for mistakes, \`millrace describe payments.ts\` prints what it guarantees.
import { avro, dedupe, expectations, featurize, hours, json, learn, map, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { cyclic, featureView, ftrl, hashed, logisticRegression, numeric } from 'millrace/ml';

// Events, as they lie in the topics. The .avsc files are the truth, these types give them names in TypeScript.
interface Payment {
  readonly paymentId: string;
  readonly country: string;
  readonly amount: number;
  readonly paidAt: number;
}
interface Review {
  readonly paymentId: string;
  readonly reviewedAt: number;
  readonly fraud: boolean;
}
interface Scored {
  readonly paymentId: string;
  readonly country: string;
  readonly amount: number;
  readonly paidAt: number;
  readonly fraudProbability: number;
  readonly modelVersion: string;
}

const schemaFile = (name: string) => new URL(\`./schemas/\${name}.avsc\`, import.meta.url);
const PaymentV1 = avro<Payment>({ subject: 'payments.v1-value', file: schemaFile('payment.v1') });
const ReviewV1 = avro<Review>({ subject: 'reviews.v1-value', file: schemaFile('review.v1') });

// What a payment must be to go on; what fails goes to the dead letters with its reason.
const sound = expectations<Payment>().notNull('country').range('amount', 0.01, 1_000_000);

// What the model sees of a payment: the same in the stream and wherever else you compute it.
const hourOf = ({ paidAt }: Payment) => new Date(paidAt).getUTCHours();
const paymentFeatures = featureView({
  name: 'payments',
  version: 1,
  columns: {
    amount: (payment: Payment) => Math.log1p(payment.amount),
    country: (payment: Payment) => payment.country,
    hour: hourOf,
  },
  features: {
    amount: numeric('amount'),
    hour: cyclic('hour', 24),
    country: hashed('country'),
    countryAtHour: hashed('country', 'hour'),
  },
  hashBits: 12,
});

export const payments = topology(
  'payments',
  {
    deadLetters: kafka.deadLetterSink({ topic: 'payments.dead' }),
    metrics: clickhouse.metricsSink({ table: 'metrics' }),
  },
  (t) => {
    // Reviewers say hours later which payments were fraud: the labels that the model learns from.
    const reviews = t.source(
      'reviews',
      kafka.source({ topic: 'reviews.v1', schema: ReviewV1, eventTime: (review) => review.reviewedAt }),
    );
    // Every step has an id of its own: its state belongs to that id, so keep it when you edit the step.
    const scored = t
      .source(
        'payments',
        kafka.source({ topic: 'payments.v1', schema: PaymentV1, eventTime: (payment) => payment.paidAt }),
      )
      .via('dedupe', dedupe({ key: (payment) => payment.paymentId, retention: hours(48), keysMax: 100_000 }))
      .via('validate', validate(sound))
      .via('features', featurize(paymentFeatures))
      // Predicts at once; scores and learns when the label of that payment arrives.
      .via(
        'fraud-model',
        { labels: reviews },
        learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
          as: 'fraud',
          view: paymentFeatures,
          key: (payment) => payment.paymentId,
          label: { key: (review) => review.paymentId, value: (review) => review.fraud, wait: hours(48) },
          pendingMax: 100_000,
          metricsInterval: hours(24),
        }),
      )
      .via(
        'scored',
        map(
          ({ paymentId, country, amount, paidAt, fraud }): Scored => ({
            paymentId,
            country,
            amount,
            paidAt,
            fraudProbability: fraud.probability,
            modelVersion: fraud.modelVersion,
          }),
        ),
      );
    scored.to('scores', kafka.sink({ topic: 'payments.scored.v1', schema: json<Scored>(), key: (s) => s.paymentId }));
    scored.to(
      'history',
      clickhouse.tableSink({
        table: 'scored',
        columns: {
          paymentId: 'String',
          country: 'LowCardinality(String)',
          amount: 'Float64',
          paidAt: 'DateTime64(3)',
          fraudProbability: 'Float64',
          modelVersion: 'String',
        },
        orderBy: ['paidAt'],
      }),
    );
  },
);
`;

export const testFile = `// A topology is tested without a broker, in virtual time: npx tsx --test payments.test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopologyTest } from 'millrace/testing';
import { payments } from './payments.js';

const noon = Date.UTC(2026, 0, 1, 12);
const payment = { paymentId: 'p1', country: 'CH', amount: 20, paidAt: noon };

test('a payment is scored once, however often it arrives', async () => {
  const run = new TopologyTest(payments);
  await run.pipe('payments', [payment, payment]);
  await run.run();
  assert.equal(run.output('scores').length, 1);
  assert.equal(run.counter('dedupe', 'duplicates'), 1);
  await run.close();
});

test('an impossible amount goes to the dead letters', async () => {
  const run = new TopologyTest(payments);
  await run.pipe('payments', [{ ...payment, amount: -1 }]);
  await run.run();
  assert.equal(run.output('scores').length, 0);
  assert.equal(run.deadLetters()[0]?.reason, 'range:amount');
  await run.close();
});

test('the model learns when the review arrives', async () => {
  const run = new TopologyTest(payments);
  await run.pipe('payments', [payment]);
  await run.pipe('reviews', [{ paymentId: 'p1', reviewedAt: noon + 3_600_000, fraud: true }]);
  await run.run();
  assert.equal(run.counter('fraud-model', 'learned'), 1);
  await run.close();
});
`;

const recordSchema = (name: string, fields: Readonly<Record<string, unknown>>) => {
  const list = Object.entries(fields).map(([field, type]) => ({ name: field, type }));
  return `${JSON.stringify({ type: 'record', name, namespace: 'example.payments', fields: list }, null, 2)}\n`;
};
const time = { type: 'long', logicalType: 'timestamp-millis' };

export const paymentSchema = recordSchema('Payment', {
  paymentId: 'string',
  country: 'string',
  amount: 'double',
  paidAt: time,
});

export const reviewSchema = recordSchema('Review', { paymentId: 'string', reviewedAt: time, fraud: 'boolean' });

export const tsconfigFile = `{
  "compilerOptions": {
    "target": "es2023",
    "module": "esnext",
    "moduleResolution": "bundler",
    "types": ["node"],
    "strict": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["*.ts"]
}
`;

export const packageFile = `{
  "private": true,
  "type": "module",
  "scripts": {
    "test": "tsx --test *.test.ts",
    "typecheck": "tsc"
  },
  "devDependencies": {
    "@types/node": "^20.19.0",
    "tsx": "^4.19.0",
    "typescript": ">=5.7"
  }
}
`;
