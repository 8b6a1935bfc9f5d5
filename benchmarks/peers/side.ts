import { fileURLToPath } from 'node:url';
import { measurePeer, type PeerRun } from './measure.js';
import type { Order } from './order.js';
import { type PeerCommand, PeerProcess } from './peer-process.js';
import type { World } from './world.js';

/** The ONNX model that all peers score with. */
export const modelOfPeers = fileURLToPath(new URL('../../models/risk/risk.onnx', import.meta.url));

export type Task = Pick<Order, 'work' | 'inputs' | 'threads' | 'commitMs'>;

/** One of those that are compared, with its processes. */
export class Side {
  private readonly processes: readonly PeerProcess[];
  private runs = 0;
  /** The broker's CPU a record, run by run. */
  readonly brokerMicros: number[] = [];

  constructor(
    readonly name: string,
    private readonly world: World,
    command: PeerCommand,
    processes = 1,
  ) {
    this.processes = Array.from({ length: processes }, () => new PeerProcess(command));
  }

  /** Does a piece of work from the start; `look` sees what was written before it is deleted. */
  async run(task: Task, look: (order: Order) => Promise<void> = async () => undefined): Promise<PeerRun> {
    const name = `${this.name.toLowerCase().replaceAll(' ', '-')}-${task.work}-${this.runs++}`;
    const order: Order = { ...task, broker: this.world.broker, name, output: `bench.out.${name}`, model: modelOfPeers };
    const run = await measurePeer(this.world, this.processes, order);
    this.brokerMicros.push((run.brokerCpuSeconds * 1e6) / run.records);
    await look(order);
    await this.world.forget(order);
    return run;
  }

  end(): void {
    for (const each of this.processes) each.end();
  }
}
