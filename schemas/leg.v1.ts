import { avro } from '../src/schema/index.js';

/** One side of a transfer. */
export interface Leg {
  readonly transferId: number;
  readonly account: string;
  /** Negative for the account that pays. */
  readonly amountCents: number;
  /** Milliseconds UTC. */
  readonly bookedAt: number;
}

export const LegV1 = avro<Leg>({
  subject: 'transfers.legs.v1-value',
  file: new URL('./leg.v1.avsc', import.meta.url),
});
