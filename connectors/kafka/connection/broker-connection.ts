import { type API, Connection, NetworkError, TimeoutError } from '@platformatic/kafka';
import type { Address } from './address.js';
import { refusalOf, TLS_ALERT, wantsTls } from './connection-failure.js';
import { connectionOptions, type Security } from './security.js';
import { type Throttle, throttleMsIn } from './throttle.js';

export interface BrokerConnectionOptions {
  readonly clientId: string;
  readonly security: Security;
  /** Told of every wait that a broker imposes. */
  readonly throttle: Throttle;
  /** How long an answer may take; the client's 30 s by default. */
  readonly requestTimeoutMs?: number;
}

/** A login is used for this part of the time that the broker lets it hold. */
const USED_PART = 0.7;

/** What a connection has told of itself so far. */
interface Signs {
  /** When to log in anew. */
  untilMs: number;
  /** Of the connection as such: requests hear only that it is closed. */
  failure: unknown;
}

/** One connection to a broker, logged in where brokers ask for it. */
export class BrokerConnection {
  private readonly idlers: (() => void)[] = [];
  private underWay = 0;
  private heldUntilMs = 0;

  private constructor(
    private readonly connection: Connection,
    private readonly address: Address,
    private readonly options: BrokerConnectionOptions,
    private readonly signs: Signs,
  ) {}

  /**
   * @throws MillraceError `config` where the broker, or this client, refuses the other for good; the client's
   * `NetworkError` where it may work at the next try.
   */
  static async open(address: Address, options: BrokerConnectionOptions): Promise<BrokerConnection> {
    const { clientId, security, requestTimeoutMs: requestTimeout } = options;
    const signs: Signs = { untilMs: Number.POSITIVE_INFINITY, failure: undefined };
    const onSession = (lifetimeMs: number) => {
      if (lifetimeMs > 0) signs.untilMs = performance.now() + lifetimeMs * USED_PART;
    };
    try {
      const secured = await connectionOptions(security, address.host, onSession);
      const connection = new Connection(clientId, {
        ...secured,
        ...(requestTimeout === undefined ? {} : { requestTimeout }),
      });
      // The client emits what it also rejects requests with; without a listener that would end the process.
      connection.on('error', (error) => {
        signs.failure ??= error;
      });
      const connected = connection.connect(address.host, address.port);
      if (security.tls === undefined) {
        connection.socket.once('data', (bytes: Buffer) => {
          if (bytes[0] !== TLS_ALERT) return;
          signs.failure = wantsTls(address);
          connection.socket.destroy();
        });
      }
      await connected;
      return new BrokerConnection(connection, address, options, signs);
    } catch (error) {
      throw refusalOf(signs.failure ?? error, address, security) ?? error;
    }
  }

  get isConnected(): boolean {
    return this.connection.isConnected();
  }

  /** Whether the login soon holds no more. */
  get isDue(): boolean {
    return performance.now() >= this.signs.untilMs;
  }

  /** Sends a request at once, and awaits its answer. */
  async send<Arguments extends unknown[], Answer>(api: API<Arguments, Answer>, ...args: Arguments): Promise<Answer> {
    this.underWay += 1;
    try {
      const answer = await api.async(this.connection, ...args);
      this.hold(throttleMsIn(answer));
      return answer;
    } catch (error) {
      // The client stops reading at a late answer.
      if (error instanceof TimeoutError) void this.connection.close();
      if (!(error instanceof NetworkError)) throw error;
      throw refusalOf(this.signs.failure ?? error, this.address, this.options.security) ?? error;
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) for (const resolve of this.idlers.splice(0)) resolve();
    }
  }

  /** How long the broker wants nothing more on this connection, in milliseconds. */
  get heldForMs(): number {
    return Math.max(0, this.heldUntilMs - performance.now());
  }

  private hold(ms: number): void {
    const nowMs = performance.now();
    const moreMs = nowMs + ms - Math.max(this.heldUntilMs, nowMs);
    if (ms <= 0 || moreMs <= 0) return;
    this.heldUntilMs = nowMs + ms;
    this.options.throttle.heard(moreMs); // answers to requests sent together tell of the same wait
  }

  /** Resolves when no request is on its way. */
  async idle(): Promise<void> {
    if (this.underWay > 0) await new Promise<void>((resolve) => this.idlers.push(resolve));
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
