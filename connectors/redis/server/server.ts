import { type ErrorCode, MillraceError } from '../../../src/core/errors.js';
import { type RetryOptions, requestBackOff, retry } from '../../../src/util/retry.js';
import { type Address, addressOf } from './address.js';
import { type Connection, cluster, type Keyed, single } from './connection.js';
import { explain, isPassing, withoutCommand } from './errors.js';

/** A text, or what reads it when it is needed. */
export type Text = string | (() => Promise<string>);

export interface ServerOptions {
  /** `redis://host:6379`, `rediss://` for TLS; with user, password and database in it: `redis://user:secret@host/2`. Nodes of a cluster with commas. */
  readonly url: string;
  /** Where the URL has none. */
  readonly user?: string;
  readonly password?: Text;
  /** PEM of the authority that signed the server's certificate, where the system does not know it. */
  readonly ca?: Text;
  /** PEM of this client's certificate and its private key, where the server asks for one. */
  readonly certificate?: Text;
  readonly key?: Text;
  /** Name in the server's certificate, if it differs from its address. */
  readonly serverName?: string;
  /** Tries of one call in all, with growing waits in between: 10 by default, about twelve seconds where none is answered at all. */
  readonly attemptsMax?: number;
  /** How long a call may take, in milliseconds; 30 s by default. */
  readonly timeoutMs?: number;
}

/**
 * A Redis server, or a cluster, which is noticed by asking; connected to at first use, and again whenever the connection is lost.
 * The client library is loaded there.
 */
export class Server {
  readonly where: string;
  private readonly address: Address;
  private readonly retrying: RetryOptions;
  private opening: Promise<Connection> | undefined;
  private opened: Connection | undefined;
  private closed = false;
  /** The client says here why, and to the caller only that the connection is closed. */
  private lastError: unknown;

  constructor(private readonly options: ServerOptions) {
    this.address = addressOf(options.url);
    this.where = this.address.where;
    const retriable = (error: unknown) =>
      // A refused password closes the connection too, and will do so again.
      !this.closed && isPassing(error) && (this.lastError === undefined || isPassing(this.lastError));
    const { attemptsMax = 10 } = options;
    this.retrying = { ...requestBackOff, retriable, attemptsMax };
  }

  /** Repeats work until it succeeds or will not: only for what may be repeated. */
  async attempt<T>(doing: string, work: (on: Connection) => Promise<T>, code: ErrorCode = 'sink'): Promise<T> {
    try {
      return await retry(async () => work(await this.connection()), this.retrying);
    } catch (error) {
      throw explain(this.causeOf(error), doing, this.where, code);
    }
  }

  /** Repeats commands until each is answered. */
  send(doing: string, commands: readonly Keyed[], code?: ErrorCode): Promise<readonly unknown[]> {
    return this.attempt(doing, async (on) => allAnswered(await on.send(commands)), code);
  }

  connection(): Promise<Connection> {
    if (this.closed) return Promise.reject(new Error('Connection is closed.'));
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /** Once, and without trying again. */
  async ping(): Promise<void> {
    try {
      await (await this.connection()).masters()[0]?.ping();
    } catch (error) {
      throw withoutCommand(error);
    }
  }

  /** Why a call failed, as far as the client has said it at all. */
  causeOf(error: unknown): unknown {
    return isPassing(error) && this.lastError !== undefined ? this.lastError : error;
  }

  /** Another connection to the same place. */
  another(): Server {
    return new Server(this.options);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.opened?.quit();
  }

  /** Whoever waits for an answer gets none. */
  disconnect(): void {
    this.closed = true;
    this.opened?.disconnect();
  }

  private async open(): Promise<Connection> {
    const { Redis, Cluster, Command } = await import('ioredis');
    const { hosts, database, where } = this.address;
    const options = await this.clientOptions();
    if (hosts.length === 1) {
      const client = new Redis({
        ...options,
        ...hosts[0],
        db: database,
        retryStrategy: (attempt: number) => Math.min(1_000, 50 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2),
      });
      this.listen(client);
      try {
        await client.connect();
        if (!(await isClusterNode(client))) return this.keep(single(client, Command));
        client.disconnect();
      } catch (error) {
        client.disconnect();
        throw error;
      }
    }
    if (database !== 0) throw noDatabases(where);
    const nodes = new Cluster([...hosts], {
      lazyConnect: true,
      redisOptions: options,
      dnsLookup: (name, done) => done(null, name), // certificates are for names
      clusterRetryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
    });
    this.listen(nodes);
    nodes.on('node error', (error) => {
      this.lastError = error;
    });
    try {
      await nodes.connect();
      return this.keep(cluster(nodes, Command));
    } catch (error) {
      nodes.disconnect();
      throw ofNode(error);
    }
  }

  private keep(connection: Connection): Connection {
    this.opened = connection;
    if (this.closed) connection.disconnect();
    return connection;
  }

  private listen(client: { on(event: string, listener: (error?: unknown) => void): unknown }): void {
    client.on('error', (error) => {
      this.lastError = ofNode(error);
    });
    client.on('ready', () => {
      this.lastError = undefined;
    });
  }

  private async clientOptions() {
    const { user, serverName: servername, timeoutMs = 30_000, ...texts } = this.options;
    const { user: username = user, password = await read(texts.password), tls } = this.address;
    const [ca, cert, key] = await Promise.all([texts.ca, texts.certificate, texts.key].map(read));
    return {
      lazyConnect: true,
      // A call is repeated here, never by the client: one that it kept would be sent after later ones.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: 5_000,
      commandTimeout: timeoutMs,
      // A connection that says nothing may be dead without having ended: the next call needs another one.
      socketTimeout: timeoutMs,
      ...given({ username, password }),
      ...(tls ? { tls: given({ ca, cert, key, servername }) } : {}),
    };
  }
}

const read = async (text: Text | undefined): Promise<string | undefined> =>
  typeof text === 'function' ? text() : text;

/** The options without those that are not given: the client takes a user that is `undefined` for one. */
const given = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** Who may not ask is taken to be on a single server. */
async function isClusterNode(client: { info(section: string): Promise<string> }): Promise<boolean> {
  try {
    return (await client.info('cluster')).includes('cluster_enabled:1');
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOPERM')) return false;
    throw error;
  }
}

/** A cluster says that all its nodes failed, and beside it why. */
const ofNode = (error: unknown): unknown =>
  (error as { readonly lastNodeError?: unknown } | undefined)?.lastNodeError ?? error;

/** Throws the first error among answers. */
export function allAnswered(answers: readonly unknown[]): readonly unknown[] {
  const refused = answers.find((answer) => answer instanceof Error);
  if (refused) throw refused;
  return answers;
}

const noDatabases = (where: string): MillraceError =>
  new MillraceError('config', 'a Redis Cluster has no databases', { where, hint: 'leave the number out of the URL' });
