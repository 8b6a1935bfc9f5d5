// Sample events for a first topology, the same on every machine.

export interface SampleEvents {
  readonly payments: string;
  readonly reviews: string;
}

interface PaymentEvent {
  readonly paymentId: string;
  readonly country: string;
  readonly amount: number;
  readonly paidAt: number;
}
interface ReviewEvent {
  readonly paymentId: string;
  readonly reviewedAt: number;
  readonly fraud: boolean;
}

const COUNT = 3_000;
const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const COUNTRIES = ['CH', 'DE', 'FR', 'IT', 'US', 'XX'];

/**
 * Ten days of payments and what reviewers said of them hours later, as newline-delimited JSON in the order of time. Fraud is
 * likelier for one country, at night and for large amounts, so there is something to learn; every hundredth payment comes
 * twice and every hundred-and-fiftieth has an impossible amount, so there is something to catch.
 */
export function sampleEvents(): SampleEvents {
  const random = numbers(7);
  const payments: PaymentEvent[] = [];
  const reviews: ReviewEvent[] = [];
  for (let i = 0; i < COUNT; i++) {
    const paidAt = START_MS + Math.floor((i * 240 * HOUR_MS) / COUNT) + Math.floor(random() * 200_000);
    const country = COUNTRIES[Math.floor(random() * COUNTRIES.length)] ?? '';
    const amount = Math.round(100 * Math.exp(random() * 6)) / 100;
    const hour = new Date(paidAt).getUTCHours();
    const score = -4 + (country === 'XX' ? 2.5 : 0) + (hour < 6 ? 1.5 : 0) + Math.log1p(amount) / 3;
    const fraud = random() < 1 / (1 + Math.exp(-score));
    const paymentId = `p${i}`;
    const payment = { paymentId, country, amount: i % 150 === 149 ? -amount : amount, paidAt };
    payments.push(payment);
    if (i % 100 === 99) payments.push(payment);
    reviews.push({ paymentId, reviewedAt: paidAt + Math.floor((2 + 4 * random()) * HOUR_MS), fraud });
  }
  payments.sort((a, b) => a.paidAt - b.paidAt);
  reviews.sort((a, b) => a.reviewedAt - b.reviewedAt);
  return { payments: lines(payments), reviews: lines(reviews) };
}

const lines = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** Mulberry32 by Tommy Ettinger: enough for samples, and the same everywhere. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
