import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastingPorts } from '../../ports.js';
import { diesWithUs } from '../dies-with-us.js';

/** Where Debian keeps the programs of each version; they are not on the path. */
function programs(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  if (found === undefined) throw new Error('no Postgres: apt-get install postgresql');
  return found;
}

/** Postgres does not run as root. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

export const freePort = async (): Promise<number> => (await lastingPorts(1))[0] as number;

/** A real server with a folder of its own, which can be killed and started again. */
export class PostgresServer {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-postgres-'));
    const user = owner();
    chmodSync(folder, 0o700);
    if (user) chownSync(folder, user.uid, user.gid);
    const options = ['-D', join(folder, 'data'), '-U', 'millrace', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'];
    execFileSync(join(programs(), 'initdb'), options, { ...user, cwd: folder, stdio: 'ignore' });
    const server = new PostgresServer(folder, await freePort());
    await server.run();
    return server;
  }

  get url(): string {
    return this.urlAt(this.port);
  }

  urlAt = (port: number): string => `postgres://millrace@127.0.0.1:${port}/postgres`;

  async run(): Promise<void> {
    const args = ['-D', join(this.folder, 'data'), '-p', String(this.port), '-h', '127.0.0.1', '-k', this.folder];
    this.child = spawn(join(programs(), 'postgres'), args, { ...owner(), cwd: this.folder, stdio: 'ignore' });
    diesWithUs(this.child, { signal: 'QUIT', folder: this.folder });
    for (let tries = 0; ; tries++) {
      try {
        this.query('SELECT 1');
        return;
      } catch (error) {
        if (tries > 300) throw error;
        await sleep(100);
      }
    }
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await sleep(200); // its children notice that it is gone
  }

  /** Rows as text, by Postgres's own client. */
  query(sql: string): string[][] {
    const args = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'millrace', '-d', 'postgres', '-XAtq', '-F', '\t'];
    const out = execFileSync('psql', [...args, '-c', sql], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
    return out === ''
      ? []
      : out
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => line.split('\t'));
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGQUIT');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A connection in between that can be cut, stalled, or made to lose answers. */
export class Between {
  /** Answers to this statement never arrive: the connection breaks instead. */
  loseAnswerTo: RegExp | undefined;
  stalled = false;
  lost = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly port: number,
  ) {}

  static async open(to: number): Promise<Between> {
    const server = createServer((near) => {
      const far = connect(to, '127.0.0.1');
      let losing = false;
      for (const socket of [near, far]) {
        between.sockets.add(socket);
        socket
          .on('error', () => undefined)
          .on('close', () => {
            between.sockets.delete(socket);
            near.destroy();
            far.destroy();
          });
      }
      near.on('data', (bytes) => {
        if (between.loseAnswerTo?.test(bytes.toString('latin1'))) {
          losing = true;
          between.loseAnswerTo = undefined;
        }
        far.write(bytes);
      });
      far.on('data', (bytes) => {
        if (between.stalled) return;
        if (!losing) near.write(bytes);
        else {
          between.lost++;
          near.destroy();
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const between: Between = new Between(server, (server.address() as AddressInfo).port);
    return between;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
