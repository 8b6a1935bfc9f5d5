import { type ErrorCode, MillraceError } from '../../../src/core/errors.js';
import { type RetryOptions, requestBackOff, retry } from '../../../src/util/retry.js';
import { type Address, addressOf } from './address.js';
import { type Connection, cluster, type Keyed, single } from './connection.js';
import { explain, isPassing, withoutCommand } from './errors.js';

/** A text, or a function that reads it when it is needed. */
export type Text = string | (() => Promise<string>);

export interface ServerOptions {
  /** `redis://host:6379`, `rediss://` for TLS; with user, password and database in it: `redis://user:secret@host/2`. Nodes of a cluster with commas. */
  readonly url: string;
  /** Used if the URL has none. */
  readonly user?: string;
  readonly password?: Text;
  /** PEM of the authority that signed the server's certificate, if the system does not trust it. */
  readonly ca?: Text;
  /** PEM of this client's certificate and of its private key, if the server requires one. */
  readonly certificate?: Text;
  readonly key?: Text;
  /** The name in the server's certificate, if it differs from its address. */
  readonly serverName?: string;
  /** Tries of one call in all, with growing pauses: 10 by default, about twelve seconds if nothing answers. */
  readonly attemptsMax?: number;
  /** How long a call may take, in milliseconds; 30 s by default. */
  readonly timeoutMs?: number;
}

/**
 * A Redis server, or a cluster, which is detected by a command. It connects at its first use, and again after the connection is
 * lost; the client library is loaded then.
 */
export class Server {
  readonly where: string;
  private readonly address: Address;
  private readonly retrying: RetryOptions;
  private opening: Promise<Connection> | undefined;
  private opened: Connection | undefined;
  private closed = false;
  /** The client reports the reason here; the caller only learns that the connection is closed. */
  private lastError: unknown;

  constructor(private readonly options: ServerOptions) {
    this.address = addressOf(options.url);
    this.where = this.address.where;
    const retriable = (error: unknown) =>
      // A rejected password closes the connection as well; a retry would not help.
      !this.closed && isPassing(error) && (this.lastError === undefined || isPassing(this.lastError));
    const { attemptsMax = 10 } = options;
    this.retrying = { ...requestBackOff, retriable, attemptsMax };
  }

  /** Repeats work until it succeeds or fails permanently; only for work that may be repeated. */
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

  /** Asks once, without a retry. */
  async ping(): Promise<void> {
    try {
      await (await this.connection()).masters()[0]?.ping();
    } catch (error) {
      throw withoutCommand(error);
    }
  }

  /** Why a call failed, as far as the client reports it. */
  causeOf(error: unknown): unknown {
    return isPassing(error) && this.lastError !== undefined ? this.lastError : error;
  }

  /** Another connection to the same server. */
  another(): Server {
    return new Server(this.options);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.opened?.quit();
  }

  /** Closes at once; pending calls reject. */
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
      dnsLookup: (name, done) => done(null, name), // certificates are issued for names
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
      // Retries happen here, not in the client: a command that the client kept would be sent after later ones.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: 5_000,
      commandTimeout: timeoutMs,
      // A silent connection may be dead. It is closed, and the next call opens another.
      socketTimeout: timeoutMs,
      ...given({ username, password }),
      ...(tls ? { tls: given({ ca, cert, key, servername }) } : {}),
    };
  }
}

const read = async (text: Text | undefined): Promise<string | undefined> =>
  typeof text === 'function' ? text() : text;

/** Leaves out options that are `undefined`: the client would take an undefined user for a user. */
const given = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** If the user may not ask, a single server is assumed. */
async function isClusterNode(client: { info(section: string): Promise<string> }): Promise<boolean> {
  try {
    return (await client.info('cluster')).includes('cluster_enabled:1');
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOPERM')) return false;
    throw error;
  }
}

/** A cluster reports that all nodes failed, with the reason in another field. */
const ofNode = (error: unknown): unknown =>
  (error as { readonly lastNodeError?: unknown } | undefined)?.lastNodeError ?? error;

/** Throws the first error among the answers. */
export function allAnswered(answers: readonly unknown[]): readonly unknown[] {
  const refused = answers.find((answer) => answer instanceof Error);
  if (refused) throw refused;
  return answers;
}

const noDatabases = (where: string): MillraceError =>
  new MillraceError('config', 'a Redis Cluster has no databases', { where, hint: 'leave the number out of the URL' });
