import { sampleEvents } from './events.js';
import { packageFile, paymentSchema, reviewSchema, testFile, topologyFile, tsconfigFile } from './sources.js';

/** What to do with the starter, in order: printed after `millrace init`, listed in the guide, and run by the tests. */
export const nextSteps = [
  'millrace check payments.ts',
  'millrace produce payments.v1 --schema schemas/payment.v1.avsc --time paidAt < data/payments.ndjson',
  'millrace produce reviews.v1 --schema schemas/review.v1.avsc --time reviewedAt < data/reviews.ndjson',
  'millrace run payments.ts --until-end',
  `millrace query "SELECT toDate(eventTime) AS day, round(value, 3) AS rocAuc FROM metrics WHERE name = 'roc_auc' ORDER BY day"`,
  'millrace tail payments.dead --schema schemas/payment.v1.avsc --limit 3',
] as const;

/** The files of a first topology, by path. */
export function starterFiles(): ReadonlyMap<string, string> {
  const { payments, reviews } = sampleEvents();
  return new Map([
    ['payments.ts', topologyFile],
    ['payments.test.ts', testFile],
    ['schemas/payment.v1.avsc', paymentSchema],
    ['schemas/review.v1.avsc', reviewSchema],
    ['data/payments.ndjson', payments],
    ['data/reviews.ndjson', reviews],
    ['tsconfig.json', tsconfigFile],
    ['package.json', packageFile],
  ]);
}
