import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '../integration/postgres/server.js';
import type { KafkaCluster } from './cluster.js';
import type { Network } from './network.js';
import type { Store } from './stores.js';
import type { Worker, Workers } from './workers.js';

/** What an agent may disturb. */
export interface World {
  readonly workers: Workers;
  readonly brokers: KafkaCluster;
  readonly network: Network | undefined;
  readonly redis: Store;
  readonly clickhouse: Store;
  readonly postgres: PostgresServer | undefined;
  readonly sessionTimeoutMs: number;
  /** Takes a worker that is known to be dead out of a group. */
  expel(group: string, memberId: string): Promise<void>;
}

/** One thing that is done to the world of an agent. */
export type Fault = (agent: Agent) => Promise<void>;

/** How a worker ends with a failure that passes: the next owners of its tasks repeat what it had not committed. */
const EX_TEMPFAIL = 75;

/** Numbers of workers, one after another. */
const SCALES = [1, 3, 2] as const;

/** Does one thing after another to workers, brokers and stores, as chance decides. */
export class Agent {
  readonly done: Record<string, number> = {};
  /** Workers that a fault has ended. */
  private readonly ended = new Set<Worker>();
  /** Workers that were asked to end; one that cannot commit, as a store is down, cannot wait for it. */
  private readonly asked = new Set<Worker>();
  private readonly goingOn = new Map<unknown, Promise<void>>();
  private scaled = 0;

  constructor(
    readonly world: World,
    private readonly faults: readonly Fault[],
    private readonly random: () => number,
    private readonly log: (line: string) => void,
  ) {}

  async act(): Promise<void> {
    await this.one(this.faults)(this);
    await sleep(500 + this.upTo(3_000));
    this.keep(); // what a supervisor does
  }

  /** Lets what is still disturbed come to itself, with two workers. */
  async rest(): Promise<void> {
    await Promise.all(this.goingOn.values());
    while (SCALES[this.scaled % SCALES.length] !== 2) this.rescale();
    this.keep();
  }

  /** Workers that ended otherwise than they were made to; one that is asked to end while it starts dies of SIGTERM. */
  async failed(): Promise<string[]> {
    const found: string[] = [];
    for (const worker of this.world.workers.all) {
      const end = (await worker.ended) ?? worker.process.signalCode;
      const isCutShort = end === EX_TEMPFAIL && this.asked.has(worker);
      if (end === 0 || end === 'SIGTERM' || isCutShort || this.ended.has(worker)) continue;
      found.push(`worker ${worker.id}: ${end}: ${worker.errors}`);
    }
    return found;
  }

  rescale(): void {
    const before = SCALES[this.scaled % SCALES.length];
    this.scaled++;
    this.count(`scaled from ${before} to ${SCALES[this.scaled % SCALES.length]}`);
    this.keep();
  }

  async kill(victim: Worker, told: boolean): Promise<void> {
    this.ended.add(victim);
    victim.signal('SIGKILL');
    await victim.ended;
    if (told) for (const [group, memberId] of victim.memberIds) await this.world.expel(group, memberId);
  }

  /** Begins what goes on while other things are done; what is disturbed already is let come to itself first. */
  async begin(whom: unknown, disturbance: () => Promise<void>): Promise<void> {
    await this.goingOn.get(whom);
    const disturbed = disturbance();
    disturbed.catch(() => undefined); // `rest` and the next disturbance tell
    this.goingOn.set(whom, disturbed);
  }

  /** A worker that lives. */
  victim(): Worker | undefined {
    const { living } = this.world.workers;
    return living.length === 0 ? undefined : this.one(living);
  }

  one<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  upTo(most: number): number {
    return this.random() * most;
  }

  maybe(): boolean {
    return this.random() < 0.5;
  }

  count(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1;
    this.log(what);
  }

  /** As many workers as there should be: asks the rest to end, or starts what is missing. */
  private keep(): void {
    const wanted = SCALES[this.scaled % SCALES.length] as number;
    const { living } = this.world.workers;
    for (const worker of living.slice(wanted)) {
      this.asked.add(worker);
      worker.signal('SIGTERM');
    }
    for (let missing = wanted - living.length; missing > 0; missing--) this.world.workers.start();
  }
}
