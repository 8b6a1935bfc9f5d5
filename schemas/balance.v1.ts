import { avro } from '../src/schema/index.js';

/** What an account holds after one leg of a transfer. */
export interface Balance {
  readonly account: string;
  readonly balanceCents: number;
  /** The transfer that changed it last, and by how much. */
  readonly transferId: number;
  readonly amountCents: number;
  /** Milliseconds UTC. */
  readonly bookedAt: number;
}

export const BalanceV1 = avro<Balance>({
  subject: 'transfers.balances.v1-value',
  file: new URL('./balance.v1.avsc', import.meta.url),
});
