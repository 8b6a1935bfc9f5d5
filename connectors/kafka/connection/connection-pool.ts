import { setImmediate as nextTurn } from 'node:timers/promises';
import type { API } from '@platformatic/kafka';
import { pause } from '../../../src/util/pause.js';
import { type Address, addressText } from './address.js';
import { BrokerConnection, type BrokerConnectionOptions } from './broker-connection.js';

/** How long requests on a connection with an expiring login wait for their answers before it is replaced anyway. */
const RETIRE_MS = 2_000;

/**
 * The connections of one owner, one per broker, opened on demand and again after a loss. Owners do not share them, because a long
 * poll or a slow commit delays everything else on its connection.
 *
 * If a login has a lifetime, a new connection replaces the old one before it expires, with the current secrets and certificates. It
 * does so when no request is in flight, so the order of requests is kept.
 *
 * Requests on a lost connection reject with the client's `NetworkError`; nothing is sent twice from here.
 */
export class ConnectionPool {
  private readonly open = new Map<string, Promise<BrokerConnection>>();
  private readonly retired = new Set<BrokerConnection>();
  private closed = false;
  private readonly closing = new AbortController();

  constructor(private readonly options: BrokerConnectionOptions) {}

  /** Sends one request of the client's protocol and resolves with its answer. */
  async request<Arguments extends unknown[], Answer>(
    address: Address,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    const connection = await this.to(address);
    return connection.send(api, ...args);
  }

  /** A connection for sending at once; a throttled one is returned after the delay. */
  async to(address: Address): Promise<BrokerConnection> {
    for (;;) {
      const connection = await this.linkTo(address);
      const heldForMs = connection.heldForMs;
      if (heldForMs === 0) return connection;
      await pause(heldForMs, this.closing.signal);
    }
  }

  private async linkTo(address: Address): Promise<BrokerConnection> {
    const key = addressText(address);
    const known = this.open.get(key);
    const connection = await known;
    if (connection?.isConnected && !connection.isDue) return connection;
    if (this.closed) throw new Error('the connections are closed');
    // The first caller opens the next connection for all.
    const current = this.open.get(key);
    const opening = current !== undefined && current !== known ? current : this.after(connection, address);
    this.open.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.open.get(key) === opening) this.open.delete(key);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.closing.abort();
    const all = [...this.open.values()];
    this.open.clear();
    await Promise.all([...all.map(closed), ...[...this.retired].map((connection) => connection.close())]);
  }

  private async after(connection: BrokerConnection | undefined, address: Address): Promise<BrokerConnection> {
    if (connection?.isConnected) {
      this.retired.add(connection);
      const gaveUp = new AbortController();
      const tooLong = pause(RETIRE_MS, gaveUp.signal);
      const idle = connection.idle();
      void idle.then(() => this.retire(connection));
      await Promise.race([idle, tooLong]);
      gaveUp.abort();
    }
    return BrokerConnection.open(address, this.options);
  }

  private async retire(connection: BrokerConnection): Promise<void> {
    await nextTurn(); // callers that just got it still send
    await connection.idle();
    await connection.close();
    this.retired.delete(connection);
  }
}

async function closed(opening: Promise<BrokerConnection>): Promise<void> {
  // A connection that never opened needs no close, and its caller got the error.
  const connection = await opening.catch(() => undefined);
  await connection?.close();
}
