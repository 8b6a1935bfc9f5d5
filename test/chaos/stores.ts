import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launch, Service } from '../../stack/service.js';
import { cacheFolder, clientUrl, services } from '../../stack/stack.js';
import { lastingPorts } from '../ports.js';

/** One real server as a process of this one, on a free port of loopback, that can be ended, begun anew and put to sleep. */
export class Store {
  private constructor(
    private readonly service: Service,
    readonly port: number,
    private readonly data: string,
    private readonly launch: Launch,
    private readonly logFile: string,
    private child: ChildProcess,
  ) {
    process.once('exit', this.killIt);
  }

  static async start(name: 'redis' | 'clickhouse', folder: string, args: readonly string[] = []): Promise<Store> {
    const service = services[name];
    mkdirSync(folder, { recursive: true });
    const [port = 0] = await lastingPorts(1);
    const data = join(folder, name);
    const prepared = await service.prepare({ data, cache: cacheFolder() }, port, () => undefined);
    const launch = { ...prepared, args: [...prepared.args, ...args] };
    const logFile = join(folder, `${name}.log`);
    const store = new Store(service, port, data, launch, logFile, begin(launch, logFile));
    await store.healthy();
    return store;
  }

  get url(): string {
    return clientUrl(this.service, this.port, this.data);
  }

  /** Ends it, politely or not, and starts it again on what it has on disk; resolves when it answers. */
  async restart(signal: 'SIGTERM' | 'SIGKILL', whileDown: () => Promise<void>): Promise<void> {
    await this.end(signal);
    await whileDown();
    this.child = begin(this.launch, this.logFile);
    await this.healthy();
  }

  /** Puts it to sleep: connections stay open, and what is sent is answered when it wakes up. */
  async suspend(ms: number): Promise<void> {
    this.child.kill('SIGSTOP');
    try {
      await sleep(ms);
    } finally {
      this.child.kill('SIGCONT');
    }
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    process.off('exit', this.killIt);
  }

  private async healthy(patienceMs = 120_000): Promise<void> {
    for (const giveUpMs = Date.now() + patienceMs; ; await sleep(100)) {
      try {
        return await this.service.check(this.port);
      } catch (cause) {
        const { exitCode } = this.child;
        if (exitCode !== null) throw new Error(`${this.service.title} ended: see ${this.logFile}`, { cause });
        if (Date.now() > giveUpMs) throw new Error(`${this.service.title} does not answer`, { cause });
      }
    }
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  /** The last resort, when this process ends before it. */
  private readonly killIt = (): void => {
    this.child.kill('SIGKILL');
  };
}

function begin({ command, args, env }: Launch, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  return spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env }, detached: true });
}
