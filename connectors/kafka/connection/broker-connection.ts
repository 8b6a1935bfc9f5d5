import { type API, Connection, NetworkError, TimeoutError } from '@platformatic/kafka';
import type { Address } from './address.js';
import { refusalOf, TLS_ALERT, wantsTls } from './connection-failure.js';
import { connectionOptions, type Security } from './security.js';
import { type Throttle, throttleMsIn } from './throttle.js';

export interface BrokerConnectionOptions {
  readonly clientId: string;
  readonly security: Security;
  /** Gets the delay of every throttled answer. */
  readonly throttle: Throttle;
  /** How long an answer may take; the client's 30 s by default. */
  readonly requestTimeoutMs?: number;
}

/** The part of a login's lifetime after which a new connection is opened. */
const USED_PART = 0.7;

/** What is known about a connection so far. */
interface Signs {
  /** When to log in again. */
  untilMs: number;
  /** The error of the connection; requests only report that it is closed. */
  failure: unknown;
}

/** One connection to a broker, logged in if brokers require it. */
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
   * @throws MillraceError `config` if the broker or this client refuses the connection for good; the client's `NetworkError` if a
   * retry may succeed.
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
      // The client also emits the errors of rejected requests; without a listener they would end the process.
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

  /** Whether the login expires soon. */
  get isDue(): boolean {
    return performance.now() >= this.signs.untilMs;
  }

  /** Sends a request at once and resolves with its answer. */
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

  /** How long the broker still throttles this connection, in milliseconds. */
  get heldForMs(): number {
    return Math.max(0, this.heldUntilMs - performance.now());
  }

  private hold(ms: number): void {
    const nowMs = performance.now();
    const moreMs = nowMs + ms - Math.max(this.heldUntilMs, nowMs);
    if (ms <= 0 || moreMs <= 0) return;
    this.heldUntilMs = nowMs + ms;
    this.options.throttle.heard(moreMs); // answers to requests in flight report the same delay
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    if (this.underWay > 0) await new Promise<void>((resolve) => this.idlers.push(resolve));
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
