import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../connectors/kafka/open.js';
import { localRegistry } from '../../src/schema/index.js';
import { generator } from '../random.js';
import { KafkaCluster } from './cluster.js';
import { Load } from './load.js';
import { type Verdict, verdict } from './verdict.js';
import type { WorkerOptions } from './worker.js';
import { type Worker, Workers } from './workers.js';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly records: number;
  readonly log: (line: string) => void;
}

export interface ChaosResult {
  readonly records: number;
  readonly seconds: number;
  /** How often what was done. */
  readonly done: Readonly<Record<string, number>>;
  /** Processes that ended by themselves, with what they said. */
  readonly failed: readonly string[];
  /** Restarts of tasks and other things that were mended, by what was said. */
  readonly warnings: Readonly<Record<string, number>>;
  readonly checkpoints: number;
  readonly verdict: Verdict;
}

const TASKS = 6;
const SESSION_MS = 6_000;
const WORKERS_MAX = 3;

/**
 * Lets chaos loose on workers and brokers of a real cluster while records keep coming, by a schedule that the seed
 * decides, and says what became of it. Nothing of it outlives the call.
 */
export async function chaos({ minutes, seed, records, log }: ChaosOptions): Promise<ChaosResult> {
  const startedMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  const cluster = await KafkaCluster.start(folder, log);
  const topics = { clicks: 'clicks.in', outcomes: 'clicks.outcomes', scored: 'clicks.scored' };
  const options: WorkerOptions = {
    brokers: cluster.brokers,
    prefix: 'chaos',
    topics,
    sessionTimeoutMs: SESSION_MS,
    alone: false,
  };
  const kafka = await openKafka({ brokers: cluster.brokers, registry: localRegistry(), prefix: 'chaos' });
  const workers = new Workers(options);
  try {
    await kafka.createTopic(topics.clicks, TASKS);
    await kafka.createTopic(topics.outcomes, TASKS);
    const random = generator(seed);
    const load = new Load(kafka.producer(), topics, seed);
    workers.start();
    const writing = load.run(records, records / (minutes * 60)).catch((error: unknown) => {
      load.stop();
      throw error;
    });
    writing.catch(() => undefined); // awaited below
    const agent = new Agent(workers, cluster, random, (topology, member) => kafka.expel(topology, member), log);
    const endMs = Date.now() + minutes * 60_000;
    while (Date.now() < endMs) await agent.act();
    await writing;
    log(`${load.written} records are written; ${JSON.stringify(agent.done)}`);
    agent.scale(2);
    await quiet(() => workers.stored.length);
    await workers.end();
    return {
      records: load.written,
      seconds: Math.round((Date.now() - startedMs) / 1_000),
      done: agent.done,
      failed: await agent.failed(),
      warnings: byText(workers.warnings),
      checkpoints: workers.stored.length,
      verdict: await verdict(options),
    };
  } finally {
    await workers.end();
    await kafka.close();
    await cluster.stop();
  }
}

/** Does one thing after another to workers and brokers, as chance decides. */
class Agent {
  readonly done: Record<string, number> = {};
  private readonly hit = new Set<Worker>();
  private wanted = 1;

  constructor(
    private readonly workers: Workers,
    private readonly cluster: KafkaCluster,
    private readonly random: () => number,
    private readonly expel: (topology: string, memberId: string) => Promise<void>,
    private readonly log: (line: string) => void,
  ) {}

  async act(): Promise<void> {
    const acts = [this.kill, this.kill, this.suspend, this.restartBroker, this.rescale, this.rescale];
    const act = this.one(acts);
    await act.call(this);
    await sleep(500 + this.random() * 3_000);
    this.scale(this.wanted); // what a supervisor does
  }

  scale(wanted: number): void {
    this.wanted = wanted;
    const living = this.workers.living;
    for (const worker of living.slice(wanted)) worker.signal('SIGTERM');
    for (let missing = wanted - living.length; missing > 0; missing--) this.workers.start();
  }

  /** Workers that ended otherwise than they were made to; one that is asked to end while it starts dies of SIGTERM. */
  async failed(): Promise<string[]> {
    const found: string[] = [];
    for (const worker of this.workers.all) {
      const end = (await worker.ended) ?? worker.process.signalCode;
      if (end === 0 || end === 'SIGTERM' || this.hit.has(worker)) continue;
      found.push(`worker ${worker.id}: ${end}: ${worker.errors}`);
    }
    return found;
  }

  private async kill(): Promise<void> {
    const victim = this.victim();
    if (!victim) return;
    const told = this.random() < 0.5;
    this.count(told ? 'killed, group told' : 'killed');
    this.hit.add(victim);
    victim.signal('SIGKILL');
    await victim.ended;
    if (told && victim.memberId) await this.expel('clicks', victim.memberId);
  }

  private async suspend(): Promise<void> {
    const victim = this.victim();
    if (!victim) return;
    this.count('suspended beyond its session');
    victim.signal('SIGSTOP');
    await sleep(SESSION_MS + 1_000 + this.random() * 6_000);
    victim.signal('SIGCONT');
  }

  private async restartBroker(): Promise<void> {
    const id = 1 + Math.floor(this.random() * 3);
    const signal = this.random() < 0.5 ? 'SIGTERM' : 'SIGKILL';
    this.count(`broker restarted after ${signal}`);
    await this.cluster.restart(id, signal, this.random() * 4_000);
  }

  private async rescale(): Promise<void> {
    const wanted = 1 + Math.floor(this.random() * WORKERS_MAX);
    if (wanted === this.wanted) return;
    this.count(`scaled from ${this.wanted} to ${wanted}`);
    this.scale(wanted);
  }

  private victim(): Worker | undefined {
    const living = this.workers.living;
    return living.length === 0 ? undefined : this.one(living);
  }

  private one<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  private count(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1;
    this.log(what);
  }
}

function byText(warnings: readonly string[]): Record<string, number> {
  const times: Record<string, number> = {};
  for (const warning of warnings) {
    const text = warning.replace(/^worker \d+: /, '').replace(/\d+/g, 'N');
    times[text] = (times[text] ?? 0) + 1;
  }
  return times;
}

/** Resolves when a number has not changed for six seconds. */
async function quiet(measure: () => number): Promise<void> {
  for (let before = -1, still = 0; still < 6; ) {
    await sleep(1_000);
    const now = measure();
    still = now === before ? still + 1 : 0;
    before = now;
  }
}
