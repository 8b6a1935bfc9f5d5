import { execFile } from 'node:child_process';
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = (...args: readonly string[]) => run('ip', args);

/**
 * A network of this machine alone: each host is a network namespace with an address of its own, all of them and this
 * process on one bridge. It needs root.
 */
export class Network {
  private constructor(
    private readonly bridge: string,
    private readonly hosts: readonly string[],
  ) {}

  static async open(hosts: readonly string[]): Promise<Network> {
    const network = new Network(`mr${process.pid % 100_000}`, hosts);
    await ip('link', 'add', network.bridge, 'type', 'bridge');
    await ip('addr', 'add', `${network.prefix}.254/24`, 'dev', network.bridge);
    await ip('link', 'set', network.bridge, 'up');
    for (const host of hosts) {
      const [name, link] = [network.nameOf(host), network.linkOf(host)];
      await ip('netns', 'add', name);
      await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      await ip('link', 'set', link, 'master', network.bridge, 'up');
      await ip('-n', name, 'addr', 'add', `${network.addressOf(host)}/24`, 'dev', 'eth0');
      await ip('-n', name, 'link', 'set', 'eth0', 'up');
      await ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    return network;
  }

  addressOf(host: string): string {
    return `${this.prefix}.${this.hosts.indexOf(host) + 1}`;
  }

  /** What stands before a command that runs as a host. */
  runAs(host: string): string[] {
    return ['ip', 'netns', 'exec', this.nameOf(host)];
  }

  /** Cuts a host off from all others. Connections stay open, and packets are lost. */
  async isolate(host: string): Promise<void> {
    await ip('link', 'set', this.linkOf(host), 'down');
  }

  async rejoin(host: string): Promise<void> {
    await ip('link', 'set', this.linkOf(host), 'up');
  }

  /** Cuts two hosts off from each other. */
  async part(one: string, other: string): Promise<void> {
    await ip('-n', this.nameOf(one), 'route', 'add', 'blackhole', this.addressOf(other));
  }

  async unite(one: string, other: string): Promise<void> {
    await ip('-n', this.nameOf(one), 'route', 'del', 'blackhole', this.addressOf(other));
  }

  async stop(): Promise<void> {
    for (const host of this.hosts) await ip('netns', 'del', this.nameOf(host)).catch(() => undefined);
    await ip('link', 'del', this.bridge).catch(() => undefined);
  }

  private get prefix(): string {
    return `10.213.${process.pid % 250}`;
  }

  private nameOf(host: string): string {
    return `${this.bridge}-${host}`;
  }

  private linkOf(host: string): string {
    return `${this.bridge}-${this.hosts.indexOf(host)}`;
  }
}

/** Passes connections on, between a port of one namespace and a socket file, which every namespace sees. */
export function relay(from: ListenOptions, to: NetConnectOpts): Promise<Server> {
  const server = createServer((incoming) => {
    const outgoing = connect(to);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(from, () => resolve(server.unref()));
  });
}
