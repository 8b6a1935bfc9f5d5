import { fileURLToPath } from 'node:url';
import { DrillProcess } from '../upgrade/process.js';

interface Replica {
  readonly process: DrillProcess;
  readonly url: string;
}

interface ReplicasOptions {
  readonly broker: string;
  readonly name: string;
  /** Of the processes; as many as may run at once. */
  readonly ports: readonly number[];
  /** What a process can take. */
  readonly recordsPerSecondMax: number;
}

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Keeps as many processes running as are wanted, as a Deployment does: one that ends is replaced, and one too many gets SIGTERM. */
export class Replicas {
  private running: Replica[] = [];
  private readonly leaving = new Set<Promise<void>>();
  private wanted = 0;
  private started = 0;

  constructor(private readonly options: ReplicasOptions) {}

  get count(): number {
    return this.wanted;
  }

  get processes(): readonly DrillProcess[] {
    return this.running.map(({ process }) => process);
  }

  scale(wanted: number): void {
    this.wanted = wanted;
    for (const { process } of this.running.splice(wanted)) this.end(process);
    while (this.running.length < wanted) this.running.push(this.start());
  }

  /** Ends the oldest one, and starts another in its place. */
  async replaceOldest(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const [oldest] = this.running.splice(0, 1);
    this.scale(this.wanted);
    await (signal === 'SIGTERM' ? oldest?.process.stop() : oldest?.process.kill());
  }

  /** The URLs of those that are ready, as a Service has them. */
  async ready(): Promise<string[]> {
    const asked = this.running.map(async ({ url }) => {
      const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
      return answer?.ok ? [url] : [];
    });
    return (await Promise.all(asked)).flat();
  }

  /** Ends all with SIGTERM. */
  async stop(): Promise<void> {
    this.scale(0);
    await Promise.all(this.leaving);
  }

  async kill(): Promise<void> {
    this.wanted = 0;
    await Promise.all(this.running.splice(0).map(({ process }) => process.kill()));
  }

  private end(process: DrillProcess): void {
    const left = process.stop();
    this.leaving.add(left);
    left.then(() => this.leaving.delete(left)).catch(() => undefined); // `stop` tells
  }

  private start(): Replica {
    const { broker, name, ports, recordsPerSecondMax } = this.options;
    const port = ports[this.started++ % ports.length] as number;
    const process = new DrillProcess(`process ${this.started}`, ['--import', 'tsx', WORKER], {
      MILLRACE_KAFKA: broker,
      MILLRACE_PORT: String(port),
      DRILL_NAME: name,
      DRILL_RATE: String(recordsPerSecondMax),
    });
    return { process, url: `http://127.0.0.1:${port}` };
  }
}
