import type { API } from '@platformatic/kafka';
import { retry } from '../../../src/util/retry.js';
import type { Address } from '../connection/address.js';
import type { Cluster } from '../connection/cluster.js';
import type { ConnectionPool } from '../connection/connection-pool.js';
import { code, hasCode, isBusy, isLost } from '../protocol/broker-error.js';

/** A busy coordinator is asked again soon: after a commit it needs some milliseconds, after its start seconds. */
const BACK_OFF = { waitMs: 2, waitMaxMs: 250 };

/** Requests to the broker in charge of one transactional id or group; found anew when it has moved. */
export class Coordinator {
  private address: Address | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly connections: ConnectionPool,
    private readonly of: 'group' | 'transaction',
    private readonly key: string,
  ) {}

  /** Waits while the coordinator is busy, not over a lost connection: what became of the request is unknown then. */
  request<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    return this.retry(isBusy, api, args);
  }

  /** As `request`, and again after a lost connection: for what may be asked twice. */
  requestAgain<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    return this.retry((error) => isBusy(error) || isLost(error), api, args);
  }

  private retry<Arguments extends unknown[], Answer>(
    passing: (error: unknown) => boolean,
    api: API<Arguments, Answer>,
    args: Arguments,
  ): Promise<Answer> {
    const attempt = async () => {
      this.address ??= await this.cluster.coordinator(this.of, this.key);
      return this.connections.request(this.address, api, ...args);
    };
    return retry(attempt, {
      ...BACK_OFF,
      retriable: passing,
      totalMs: this.cluster.patienceMs,
      before: (error) => {
        if (!hasCode(error, code.concurrentTransactions)) this.address = undefined;
      },
    });
  }
}
