import { sampleEvents } from './events.js';
import { packageFile, paymentSchema, reviewSchema, testFile, topologyFile, tsconfigFile } from './sources.js';

export { nextSteps } from './steps.js';

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
