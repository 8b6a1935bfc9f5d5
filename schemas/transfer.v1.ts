import { avro } from '../src/schema/index.js';

/** An amount moves from one account to another. */
export interface Transfer {
  readonly transferId: number;
  /** The account that pays. */
  readonly from: string;
  /** The account that is paid. */
  readonly to: string;
  readonly amountCents: number;
  /** Milliseconds UTC. */
  readonly bookedAt: number;
}

export const TransferV1 = avro<Transfer>({
  subject: 'transfers.v1-value',
  file: new URL('./transfer.v1.avsc', import.meta.url),
});
