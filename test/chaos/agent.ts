import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from './cluster.js';
import type { Store } from './stores.js';
import type { Worker, Workers } from './workers.js';

/** What an agent may disturb. */
export interface World {
  readonly workers: Workers;
  readonly brokers: KafkaCluster;
  readonly redis: Store;
  readonly clickhouse: Store;
  readonly sessionTimeoutMs: number;
  /** Takes a worker that is known to be dead out of the group. */
  expel(memberId: string): Promise<void>;
}

/** Numbers of workers, one after another. */
const SCALES = [1, 3, 2] as const;

/**
 * Does one thing after another to workers, brokers and stores, as chance decides. What is done to Redis and ClickHouse
 * goes on meanwhile, so that workers die and sleep with writes on their way.
 */
export class Agent {
  readonly done: Record<string, number> = {};
  private readonly hit = new Set<Worker>();
  private readonly disturbed = new Map<Store, Promise<void>>();
  private scaled = 0;

  constructor(
    private readonly world: World,
    private readonly random: () => number,
    private readonly log: (line: string) => void,
  ) {}

  async act(): Promise<void> {
    const { redis, clickhouse } = this.world;
    const acts = [
      this.kill,
      this.kill,
      this.suspend,
      this.restartBroker,
      this.rescale,
      () => this.disturb('Redis', redis),
      () => this.disturb('ClickHouse', clickhouse),
      () => this.killMeanwhile('Redis', redis),
      () => this.killMeanwhile('ClickHouse', clickhouse),
    ];
    await this.one(acts).call(this);
    await sleep(500 + this.random() * 3_000);
    this.keep(); // what a supervisor does
  }

  /** Lets what is still disturbed come to itself, with two workers. */
  async rest(): Promise<void> {
    await Promise.all(this.disturbed.values());
    while (SCALES[this.scaled % SCALES.length] !== 2) this.rescale();
    this.keep();
  }

  /** Workers that ended otherwise than they were made to; one that is asked to end while it starts dies of SIGTERM. */
  async failed(): Promise<string[]> {
    const found: string[] = [];
    for (const worker of this.world.workers.all) {
      const end = (await worker.ended) ?? worker.process.signalCode;
      if (end === 0 || end === 'SIGTERM' || this.hit.has(worker)) continue;
      found.push(`worker ${worker.id}: ${end}: ${worker.errors}`);
    }
    return found;
  }

  /** As many workers as there should be: asks the rest to end, or starts what is missing. */
  private keep(): void {
    const wanted = SCALES[this.scaled % SCALES.length] as number;
    const { living } = this.world.workers;
    for (const worker of living.slice(wanted)) worker.signal('SIGTERM');
    for (let missing = wanted - living.length; missing > 0; missing--) this.world.workers.start();
  }

  private rescale(): void {
    const before = SCALES[this.scaled % SCALES.length];
    this.scaled++;
    this.count(`scaled from ${before} to ${SCALES[this.scaled % SCALES.length]}`);
    this.keep();
  }

  private async kill(): Promise<void> {
    const victim = this.victim();
    if (!victim) return;
    const told = this.random() < 0.5;
    this.count(told ? 'killed, group told' : 'killed');
    this.hit.add(victim);
    victim.signal('SIGKILL');
    await victim.ended;
    if (told && victim.memberId) await this.world.expel(victim.memberId);
  }

  /**
   * A worker dies with writes on their way to a store that sleeps: they arrive when it wakes up, while others have the
   * worker's tasks.
   */
  private async killMeanwhile(name: string, store: Store): Promise<void> {
    await this.disturbed.get(store);
    const victim = this.victim();
    if (!victim) return;
    this.count(`killed while ${name} slept`);
    this.disturbed.set(store, store.suspend(3_000 + this.random() * 3_000));
    this.disturbed.get(store)?.catch(() => undefined); // `rest` and the next disturbance tell
    await sleep(1_000); // by now every task that has something to write waits for its answer
    this.hit.add(victim);
    victim.signal('SIGKILL');
    await victim.ended;
    if (victim.memberId) await this.world.expel(victim.memberId);
  }

  private async suspend(): Promise<void> {
    const victim = this.victim();
    if (!victim) return;
    this.count('suspended beyond its session');
    victim.signal('SIGSTOP');
    await sleep(this.world.sessionTimeoutMs + 1_000 + this.random() * 6_000);
    victim.signal('SIGCONT');
  }

  private async restartBroker(): Promise<void> {
    const id = 1 + Math.floor(this.random() * 3);
    const signal = this.signal();
    this.count(`broker restarted after ${signal}`);
    await this.world.brokers.restart(id, signal, this.random() * 4_000);
  }

  /** Goes on while other things are done; a store that is disturbed already is let come to itself first. */
  private async disturb(name: string, store: Store): Promise<void> {
    await this.disturbed.get(store);
    const signal = this.signal();
    const ms = this.random() * 4_000;
    const asleep = this.random() < 0.5;
    this.count(asleep ? `${name} suspended` : `${name} restarted after ${signal}`);
    this.disturbed.set(store, asleep ? store.suspend(2 * ms) : store.restart(signal, ms));
    this.disturbed.get(store)?.catch(() => undefined); // `rest` and the next disturbance tell
  }

  private victim(): Worker | undefined {
    const { living } = this.world.workers;
    return living.length === 0 ? undefined : this.one(living);
  }

  private signal(): 'SIGTERM' | 'SIGKILL' {
    return this.random() < 0.5 ? 'SIGTERM' : 'SIGKILL';
  }

  private one<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  private count(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1;
    this.log(what);
  }
}
