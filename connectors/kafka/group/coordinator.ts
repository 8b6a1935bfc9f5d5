import type { API } from '@platformatic/kafka';
import { retry } from '../../../src/util/retry.js';
import type { Address } from '../connection/address.js';
import type { Cluster } from '../connection/cluster.js';
import type { ConnectionPool } from '../connection/connection-pool.js';
import { code, hasCode, isBusy, isLost } from '../protocol/broker-error.js';

/** The pause before a busy coordinator is asked again: it needs milliseconds after a commit, seconds after its start. */
const BACK_OFF = { waitMs: 2, waitMaxMs: 250 };

/** Sends requests to the coordinator of one transactional id or group, and finds it again after it has moved. */
export class Coordinator {
  private address: Address | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly connections: ConnectionPool,
    private readonly of: 'group' | 'transaction',
    private readonly key: string,
  ) {}

  /** Retries while the coordinator is busy, but not after a lost connection, because the result of the request is unknown then. */
  request<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    return this.retry(isBusy, api, args);
  }

  /** Like `request`, but also retries after a lost connection: for requests that may be repeated. */
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
      totalMs: this.cluster.apiTimeoutMs,
      before: (error) => {
        if (!hasCode(error, code.concurrentTransactions)) this.address = undefined;
      },
    });
  }
}
