import { type API, Connection, type ConnectionOptions, TimeoutError } from '@platformatic/kafka';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface LinkOptions {
  readonly clientId: string;
  readonly connection: ConnectionOptions;
}

/**
 * The connections of one owner, one a broker, opened when they are first needed and again after a loss. Owners do not
 * share them: a long poll or a slow commit holds up everything else on its connection.
 *
 * Requests on a lost connection reject with the client's `NetworkError`; nothing is sent twice from here.
 */
export class Links {
  private readonly open = new Map<string, Promise<Connection>>();
  private closed = false;

  constructor(private readonly options: LinkOptions) {}

  /** Sends one request of the client's protocol and awaits its answer. */
  async request<Arguments extends unknown[], Answer>(
    address: Address,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    const connection = await this.to(address);
    return this.heed(address, api.async(connection, ...args));
  }

  /** Passes an answer on; where none came in time the connection is dropped, since the client stops reading at a late one. */
  async heed<Answer>(address: Address, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof TimeoutError) this.drop(address);
      throw error;
    }
  }

  async to({ host, port }: Address): Promise<Connection> {
    const key = `${host}:${port}`;
    const known = this.open.get(key);
    if (known) {
      const connection = await known;
      if (connection.isConnected()) return connection;
      if (this.open.get(key) === known) this.open.delete(key);
    }
    if (this.closed) throw new Error('the links are closed');
    const opening = this.open.get(key) ?? this.connect(host, port);
    this.open.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.open.get(key) === opening) this.open.delete(key);
      throw error;
    }
  }

  private drop({ host, port }: Address): void {
    const key = `${host}:${port}`;
    const known = this.open.get(key);
    this.open.delete(key);
    if (known) void closed(known);
  }

  async close(): Promise<void> {
    this.closed = true;
    const all = [...this.open.values()];
    this.open.clear();
    await Promise.all(all.map(closed));
  }

  private async connect(host: string, port: number): Promise<Connection> {
    const connection = new Connection(this.options.clientId, this.options.connection);
    // The client emits what it also rejects requests with; without a listener that would end the process.
    connection.on('error', () => undefined);
    await connection.connect(host, port);
    return connection;
  }
}

async function closed(opening: Promise<Connection>): Promise<void> {
  // One that never opened has nothing to close, and its error went to who asked for it.
  const connection = await opening.catch(() => undefined);
  await connection?.close();
}

/** `host:port`, a port being needed. */
export function parseAddress(text: string): Address | undefined {
  const match = /^\[?([^\]\s]+?)\]?:(\d{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  return { host: match[1] as string, port: Number(match[2]) };
}

export const addressText = ({ host, port }: Address): string => `${host}:${port}`;
