import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Server, type ServerOptions } from '../../../connectors/redis/server/server.js';

type Listener = (error?: unknown) => void;
interface Options {
  readonly host?: string;
  readonly port?: number;
  readonly db?: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
  readonly commandTimeout?: number;
  readonly maxRetriesPerRequest?: number;
  readonly retryStrategy?: (attempt: number) => number;
  readonly redisOptions?: Options;
  readonly clusterRetryStrategy?: (attempt: number) => number;
  readonly dnsLookup?: (name: string, done: (error: null, address: string) => void) => void;
}

/** What the servers do: whether a connection opens, and what they say of themselves. */
const world: { connect: () => void; info: () => string; made: Client[] } = {
  connect: () => undefined,
  info: () => 'cluster_enabled:0',
  made: [],
};
class Client {
  readonly ended: string[] = [];
  private readonly listeners = new Map<string, Listener>();
  constructor(
    readonly options: Options,
    readonly nodes?: readonly object[],
  ) {
    world.made.push(this);
  }
  on(event: string, listener: Listener): void {
    this.listeners.set(event, listener);
  }
  tell(event: string, error?: unknown): void {
    this.listeners.get(event)?.(error);
  }
  async connect(): Promise<void> {
    world.connect();
  }
  async info(): Promise<string> {
    return world.info();
  }
  async ping(): Promise<void> {}
  async quit(): Promise<void> {
    this.ended.push('quit');
  }
  disconnect(): void {
    this.ended.push('disconnect');
  }
}
vi.mock('ioredis', () => ({
  Redis: Client,
  Cluster: class extends Client {
    constructor(nodes: readonly object[], options: Options) {
      super(options, nodes);
    }
  },
  Command: class {},
}));

beforeEach(() => {
  Object.assign(world, { connect: () => undefined, info: () => 'cluster_enabled:0', made: [] });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const serverOf = (options: Partial<ServerOptions> = {}) =>
  new Server({ url: 'redis://cache:6379/2', attemptsMax: 2, ...options });
const failing = (...errors: readonly unknown[]) => {
  const left = [...errors];
  world.connect = () => {
    const error = left.shift();
    if (error !== undefined) throw error;
  };
};
const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('a server', () => {
  it('is connected to once, at its first use, with the secrets of that moment', async () => {
    let asked = 0;
    const read = (text: string) => async () => `${text} ${++asked}`;
    const server = serverOf({
      url: 'rediss://cache:6379/2',
      user: 'ada',
      password: read('word'),
      ca: read('ca'),
      serverName: 'name',
    });
    expect([world.made.length, asked]).toEqual([0, 0]);
    const [first, second] = await Promise.all([server.connection(), server.connection()]);
    expect([first === second, world.made.length]).toEqual([true, 1]);
    expect(world.made[0]?.options).toMatchObject({
      ...{ host: 'cache', port: 6379, db: 2, username: 'ada', password: 'word 1', commandTimeout: 30_000 },
      ...{ tls: { ca: 'ca 2', servername: 'name' }, maxRetriesPerRequest: 0, lazyConnect: true },
    });
    expect(world.made[0]?.options.tls).not.toHaveProperty('key');
    expect(first.isCluster).toBe(false);
  });

  it('has the user and the password of its address before others, and none where none is given', async () => {
    await serverOf({ url: 'redis://bob:own@cache', user: 'ada', password: 'word' }).connection();
    await serverOf({ timeoutMs: 700 }).connection();
    expect(world.made[0]?.options).toMatchObject({ username: 'bob', password: 'own' });
    for (const name of ['username', 'password', 'tls']) expect(world.made[1]?.options).not.toHaveProperty(name);
    expect(world.made[1]?.options.commandTimeout).toBe(700);
  });

  it('is asked again after a failure that may pass, as often as it is told', async () => {
    failing(coded('ECONNREFUSED'));
    const server = serverOf();
    expect(await server.attempt('cannot ask', async () => 'answer')).toBe('answer');
    expect(world.made.map(({ ended }) => ended)).toEqual([['disconnect'], []]);
    failing(coded('ECONNREFUSED'), coded('ECONNREFUSED'));
    await expect(serverOf().attempt('cannot ask', async () => 1)).rejects.toMatchObject({
      ...{ code: 'sink', permanent: false, message: 'cannot ask: ECONNREFUSED' },
    });
    failing(new Error('WRONGPASS no'));
    await expect(serverOf().attempt('cannot ask', async () => 1, 'source')).rejects.toMatchObject({
      code: 'source',
      permanent: true,
    });
    expect(world.made).toHaveLength(5);
  });

  it('says what the client has reported, where the caller hears of a closed connection alone', async () => {
    const server = serverOf({ attemptsMax: 5 });
    await server.connection();
    world.made[0]?.tell('error', new Error('WRONGPASS invalid'));
    let tries = 0;
    const work = async () => {
      tries += 1;
      throw new Error('Connection is closed.');
    };
    await expect(server.attempt('cannot ask', work)).rejects.toMatchObject({
      message: 'cannot ask: WRONGPASS invalid',
      permanent: true,
    });
    expect(tries).toBe(1); // a retry would not help
    world.made[0]?.tell('ready');
    await expect(server.attempt('cannot ask', work)).rejects.toMatchObject({
      message: 'cannot ask: Connection is closed.',
    });
    expect(tries).toBe(6);
    const own = new Error('WRONGTYPE');
    world.made[0]?.tell('error', new Error('ECONNRESET'));
    expect(server.causeOf(own)).toBe(own);
  });

  it('gives answers, or the first error among them', async () => {
    const server = serverOf();
    const connection = await server.connection();
    vi.spyOn(connection, 'send')
      .mockResolvedValueOnce([1, null])
      .mockResolvedValue([1, new Error('WRONGTYPE'), new Error('other')]);
    expect(await server.send('cannot ask', [])).toEqual([1, null]);
    await expect(server.send('cannot ask', [], 'lookup')).rejects.toMatchObject({
      code: 'lookup',
      message: 'cannot ask: WRONGTYPE',
    });
  });

  it('waits for answers where it is closed, and opens nothing more', async () => {
    for (const close of ['close', 'disconnect'] as const) {
      const server = serverOf();
      await server.connection();
      await server[close]();
      expect(world.made.at(-1)?.ended).toEqual([close === 'close' ? 'quit' : 'disconnect']);
      await expect(server.connection()).rejects.toThrow('Connection is closed.');
      await server.another().connection();
      const opening = serverOf();
      const opened = opening.connection();
      await opening[close]();
      await opened;
      expect(world.made.at(-1)?.ended).toEqual(['disconnect']); // it came too late
    }
  });

  it('tries less often the longer it is away', async () => {
    await serverOf().connection();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const retry = world.made[0]?.options.retryStrategy;
    expect([1, 2, 4, 5, 50].map((attempt) => retry?.(attempt))).toEqual([100, 200, 800, 1_000, 1_000]);
  });
});

describe('a cluster', () => {
  it.each([
    ['several hosts', 'redis://a:1,b:2', 'cluster_enabled:0', 1],
    ['one of its nodes', 'redis://a:1', 'cluster_enabled:1', 2],
  ])('is found by %s', async (_, url, info, clients) => {
    world.info = () => info;
    const connection = await serverOf({ url, password: 'word' }).connection();
    expect([connection.isCluster, world.made.length]).toEqual([true, clients]);
    const { nodes, options } = world.made.at(-1) as Client;
    expect(nodes?.[0]).toMatchObject({ host: 'a', port: 1 });
    expect(options.redisOptions).toMatchObject({ password: 'word' });
    expect([1, 10, 20, 30].map((attempt) => options.clusterRetryStrategy?.(attempt))).toEqual([50, 500, 1_000, 1_000]);
    let looked: unknown;
    options.dnsLookup?.('node.example', (_error, address) => {
      looked = address;
    });
    expect(looked).toBe('node.example');
    if (clients === 2) expect(world.made[0]?.ended).toEqual(['disconnect']);
  });

  it('has no databases', async () => {
    await expect(serverOf({ url: 'redis://a:1,b:2/3' }).connection()).rejects.toMatchObject({ code: 'config' });
    world.info = () => 'cluster_enabled:1';
    await expect(serverOf().connection()).rejects.toMatchObject({
      code: 'config',
      message: 'a Redis Cluster has no databases',
    });
  });

  it('says why all of its nodes fail', async () => {
    failing(Object.assign(new Error('None of startup nodes is available'), { lastNodeError: new Error('WRONGPASS') }));
    await expect(serverOf({ url: 'redis://a:1,b:2' }).connection()).rejects.toThrow('WRONGPASS');
    expect(world.made[0]?.ended).toEqual(['disconnect']);
    world.connect = () => undefined;
    const server = serverOf({ url: 'redis://a:1,b:2' });
    await server.connection();
    world.made.at(-1)?.tell('node error', new Error('NOPERM'));
    expect(server.causeOf(new Error('Connection is closed.'))).toMatchObject({ message: 'NOPERM' });
  });

  it('is not looked for where this user may not ask; other failures are failures', async () => {
    world.info = () => {
      throw new Error("NOPERM this user has no permissions to run the 'info' command");
    };
    expect((await serverOf().connection()).isCluster).toBe(false);
    world.info = () => {
      throw new Error('LOADING');
    };
    await expect(serverOf().connection()).rejects.toThrow('LOADING');
  });
});
