import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../connectors/kafka/open.js';
import { localRegistry } from '../../src/schema/index.js';
import { PostgresServer } from '../integration/postgres/server.js';
import { generator } from '../random.js';
import { Agent, type Fault } from './agent.js';
import { brokerHosts, KafkaCluster } from './cluster.js';
import { type FaultGroup, faults, usualFaults } from './faults.js';
import { Load } from './load.js';
import type { Mutant } from './mutants.js';
import { Network, relay } from './network.js';
import { keepEveryRow } from './once-table.js';
import { Store } from './stores.js';
import { clicks } from './topology.js';
import { REFERENCE_DATABASE, type Verdict, verdict } from './verdict.js';
import type { WorkerOptions } from './worker.js';
import { Workers, workerHosts } from './workers.js';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly records: number;
  /** What may be done, by what it is done to: workers, brokers and stores if nothing else is said. */
  readonly faults?: readonly FaultGroup[];
  /** Processes that follow each task. */
  readonly standbys?: number;
  /** What is wrong with the connectors of the workers: to see that chaos finds it. */
  readonly mutant?: Mutant | undefined;
  /** Where the logs of the brokers and the stores are copied to if something is wrong. */
  readonly keep?: string | undefined;
  readonly log: (line: string) => void;
}

export interface ChaosResult {
  /** Clicks, and how many of them were no clicks. */
  readonly records: number;
  readonly poisoned: number;
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
const POISON_EVERY = 500;
const DISK_MIB = 1_024;

/** A cleaner that is never idle, with segments for it to clean. */
const restless = () => 'log.roll.ms=20000\nlog.cleaner.backoff.ms=1000\nlog.cleaner.min.cleanable.ratio=0.01';

/**
 * Lets chaos loose on workers, brokers, Redis and ClickHouse while records keep coming, by a schedule that the seed
 * decides, and says what became of it. Nothing of it outlives the call.
 */
export async function chaos(given: ChaosOptions): Promise<ChaosResult> {
  const { minutes, seed, records, log, faults: groups = usualFaults, standbys = 0, mutant } = given;
  const startedMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const keepLogs = () => {
    if (given.keep === undefined) return;
    cpSync(folder, given.keep, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    log(`the logs are kept in ${given.keep}`);
  };
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(one: T): T => {
    started.push(one);
    return one;
  };
  try {
    const network = groups.includes('network') ? keep(await Network.open([...brokerHosts, ...workerHosts])) : undefined;
    const diskMiB = groups.includes('disk') ? DISK_MIB : undefined;
    const brokers = keep(await KafkaCluster.start(join(folder, 'kafka'), { log, network, diskMiB, more: restless }));
    // What this Redis has answered is on its disk, so what checkpoints say of it holds after a restart.
    const redis = keep(await Store.start('redis', folder, ['--appendfsync', 'always']));
    const clickhouse = keep(await Store.start('clickhouse', folder));
    const postgres = groups.includes('sinks') ? keep(await PostgresServer.start()) : undefined;
    postgres?.query(`CREATE DATABASE ${REFERENCE_DATABASE}`);
    process.once('exit', removeFolder); // after what kills the servers
    const topics = {
      clicks: 'clicks.in',
      outcomes: 'clicks.outcomes',
      scored: 'clicks.scored',
      windows: 'clicks.windows',
    };
    const more = postgres && { postgresTable: 'clicks', folder: join(folder, 'files') };
    const names = { hashes: 'chaos', table: 'clicks', onceTable: 'clicks_once', more };
    const options: WorkerOptions = {
      brokers: brokers.brokers,
      prefix: 'chaos',
      topics,
      stores: { ...names, redis: redis.url, clickhouse: clickhouse.url, postgres: postgres?.url },
      sessionTimeoutMs: SESSION_MS,
      standbys,
      alone: false,
    };
    await keepEveryRow(clickhouse.url, clicks(topics, names), 'once');
    // Who writes must not give up before the brokers are back.
    const patienceMs = minutes * 60_000;
    const kafka = await openKafka({
      brokers: brokers.brokers,
      registry: localRegistry(),
      prefix: 'chaos',
      apiTimeoutMs: patienceMs,
    });
    keep({ stop: () => kafka.close() });
    // Brokers forget a producer whose last record is older than a day, by the record's own time, and take what it repeats for new.
    const appendTime = { 'message.timestamp.type': 'LogAppendTime' };
    await kafka.createTopic(topics.clicks, TASKS, appendTime);
    await kafka.createTopic(topics.outcomes, TASKS, appendTime);
    const clocks = groups.includes('clock') ? join(folder, 'clocks') : undefined;
    if (clocks) mkdirSync(clocks);
    const relays = [redis, clickhouse, ...(postgres ? [postgres] : [])].map(({ port }) => ({
      port,
      path: join(folder, `${port}.sock`),
    }));
    for (const { port, path } of network ? relays : []) await relay({ path }, { host: '127.0.0.1', port });
    const workers = new Workers(options, { network, clocks, relays: network ? relays : [], mutant });
    keep({ stop: () => workers.end() });

    const random = generator(seed);
    const load = new Load(kafka.producer(), topics, seed, POISON_EVERY);
    workers.start();
    let endMs = Date.now() + minutes * 60_000;
    const writing = load.run(records, records / (minutes * 60));
    writing.catch(() => {
      endMs = 0; // awaited below
    });
    const expel = (group: string, memberId: string) => kafka.removeMember(group, memberId);
    const agent = new Agent(
      { workers, brokers, network, redis, clickhouse, postgres, sessionTimeoutMs: SESSION_MS, expel },
      groups.flatMap((group): readonly Fault[] => faults[group]),
      random,
      (what) => log(`${what} (${load.written} written)`),
    );
    while (Date.now() < endMs) await agent.act();
    await writing;
    log(`${load.written} records are written; ${JSON.stringify(agent.done)}`);
    await agent.rest();
    await quiet(() => workers.stored.length);
    await workers.end();
    const judged = await verdict(options);
    const failed = await agent.failed();
    if (failed.length > 0 || Object.values(judged.wrong).some((count) => count > 0)) keepLogs();
    return {
      records: load.written,
      poisoned: load.poisoned,
      seconds: Math.round((Date.now() - startedMs) / 1_000),
      done: agent.done,
      failed,
      warnings: byText(workers.warnings),
      checkpoints: workers.stored.length,
      verdict: judged,
    };
  } catch (error) {
    keepLogs();
    throw error;
  } finally {
    for (const one of started.reverse()) await one.stop();
    process.off('exit', removeFolder);
    removeFolder();
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

/** Resolves when a number has not changed for eight seconds. */
async function quiet(measure: () => number): Promise<void> {
  for (let before = -1, still = 0; still < 8; ) {
    await sleep(1_000);
    const now = measure();
    still = now === before ? still + 1 : 0;
    before = now;
  }
}
