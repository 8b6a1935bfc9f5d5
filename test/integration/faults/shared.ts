import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import type { TaskId, TaskLedger } from '../../../src/core/checkpoint.js';
import type { SinkDriver } from '../../../src/core/sink.js';
import { FaultProxy } from '../../../src/testing/fault-proxy.js';
import { probePort } from '../../../stack/ports.js';
import { beginOf } from '../../../stack/processes.js';
import type { ServiceName } from '../../../stack/service.js';
import { stackStatus, startStack, stopStack } from '../../../stack/stack.js';
import { lastingPorts } from '../../ports.js';

/** Made when it is first asked for, ended after all tests. */
export function shared<T extends { stop(): Promise<unknown> }>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  afterAll(async () => {
    await (await started)?.stop();
  }, 60_000);
  return () => {
    started ??= start();
    return started;
  };
}

/** A service of the stack that only these tests have, and may kill. */
export class OwnService {
  private constructor(
    private readonly name: ServiceName,
    private readonly dataDir: string,
    readonly url: URL,
  ) {}

  static async start(name: ServiceName): Promise<OwnService> {
    const dataDir = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
    const { urls } = await startStack({
      services: [name],
      ports: { [name]: (await lastingPorts(1))[0] as number },
      dataDir,
    });
    return new OwnService(name, dataDir, new URL(urls[name] as string));
  }

  get port(): number {
    return Number(this.url.port);
  }

  /** As a power cut would end it, and as its keeper would start it again. */
  async restart(): Promise<void> {
    const { pid } = (await stackStatus(this.dataDir)).find(({ name }) => name === this.name) ?? {};
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    // Its threads end one by one: it is there, and has the port, until the last of them is gone.
    while (pid !== undefined && beginOf(pid) !== undefined) await sleep(5);
    while (!(await isFree(this.port))) await sleep(5);
    await startStack({ services: [this.name], ports: { [this.name]: this.port }, dataDir: this.dataDir });
  }

  async stop(): Promise<void> {
    await stopStack(this.dataDir);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const isFree = (port: number): Promise<boolean> =>
  probePort(port).then(
    () => true,
    () => false,
  );

/** In front of a service, on a port that nobody takes while it is shut. */
export const proxyTo = async (port: number): Promise<FaultProxy> =>
  FaultProxy.open(port, { at: (await lastingPorts(1))[0] as number });

let made = 0;
/** A name that no other world has. */
export const fresh = (): string => `faults_${process.pid}_${made++}`;

/** The driver, for a topology of its own: services remember fences by the names of topologies. */
export const inTopology = (topology: string, driver: SinkDriver): SinkDriver => ({
  ...driver,
  open: (sink, context) => driver.open(sink, { ...context, task: { ...context.task, topology } }),
});

export type OpenLedger = (task: TaskId) => Promise<TaskLedger>;
