import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { type Kafka, openKafka } from '../../connectors/kafka/open.js';
import { localRegistry } from '../../src/schema/index.js';
import { check } from '../chaos/verdict.js';
import type { Event } from './topology.js';

export interface DrillOptions {
  readonly broker: string;
  /** Of the topology, its topics and its group. */
  readonly name: string;
  /** Over both inputs. */
  readonly recordsPerSecond: number;
  /** How long each version runs undisturbed. */
  readonly restMs: number;
  readonly log: (line: string) => void;
}

/** What became of one step of the drill. */
export interface DrillStep {
  readonly step: string;
  readonly seconds: number;
  /** The longest time in which no output became visible to readers of committed records. */
  readonly longestPauseSeconds: number;
}

export interface DrillResult {
  readonly records: number;
  readonly steps: readonly DrillStep[];
  /** What the independent reader compared, and counts of what was wrong, by input. */
  readonly compared: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly wrong: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const INPUTS = ['orders', 'refunds'] as const;
const TASKS = 4;
const KEYS = 400;
const PATIENCE_MS = 90_000;
const repository = fileURLToPath(new URL('../..', import.meta.url));

type Version = 'v1' | 'v1b' | 'v2';

/**
 * A rolling upgrade, one that is called off, one whose plan was accepted, and its rollback, by the command as operators use it, while
 * records keep coming; then an independent reader compares all outputs with the inputs.
 *
 * @throws Error where a command ends otherwise than the guide says. Nothing of it outlives the call.
 */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const { broker, name, restMs, log } = options;
  const kafka = await openKafka({ brokers: [broker], registry: localRegistry() });
  const admin = new KafkaJs({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  const processes: Process[] = [];
  const load = new Load(kafka, options);
  const pauses = new Pauses(kafka, name);
  const steps: DrillStep[] = [];
  const step = async (what: string, act: () => Promise<void>) => {
    const beganMs = Date.now();
    pauses.restart();
    await act();
    const done = {
      step: what,
      seconds: inSeconds(Date.now() - beganMs),
      longestPauseSeconds: inSeconds(pauses.longestMs),
    };
    steps.push(done);
    log(`${what}: ${done.seconds} s, longest pause ${done.longestPauseSeconds} s (${load.written} written)`);
  };
  const millrace = (command: string, version: Version, ...args: string[]): Process => {
    const process = new Process(command, version, args, { MILLRACE_KAFKA: broker, DRILL_NAME: name });
    processes.push(process);
    return process;
  };
  const start = (version: Version, hash?: string) =>
    Array.from({ length: 2 }, () => millrace('run', version, ...(hash === undefined ? [] : ['--accept-plan', hash])));
  const members = async (count: number) => {
    await until(`${count} members`, processes, async () => {
      const [group] = (await admin.describeGroups([`millrace.${name}`])).groups;
      return group?.state === 'Stable' && group.members.length === count;
    });
  };
  const plan = async (version: Version, code: number): Promise<string> => {
    const { out } = await millrace('plan', version).endsWith(code);
    return /--accept-plan (\w+)/.exec(out)?.[1] ?? '';
  };

  try {
    await admin.connect();
    for (const id of INPUTS) await kafka.createTopic(`${name}.${id}`, TASKS);
    let old: Process[] = [];
    await plan('v1', 0);
    load.start();
    await step('v1 starts', async () => {
      old = start('v1');
      await members(2);
      await pauses.next();
      pauses.restart();
      await sleep(restMs);
    });
    await step('stateless change, one process after another', async () => {
      await plan('v1b', 0);
      for (const [index, process] of old.entries()) {
        const fresh = millrace('run', 'v1b');
        await members(3);
        await process.stop();
        old[index] = fresh;
      }
      await members(2);
      await pauses.next();
      await sleep(restMs);
    });
    let hash = '';
    await step('a version whose plan nobody accepted is refused', async () => {
      hash = await plan('v2', 3);
      const { err } = await millrace('run', 'v2').endsWith(1);
      if (!err.includes(`--accept-plan ${hash}`)) throw new Error(`the refusal names no hash: ${err}`);
      await members(2);
    });
    await step('an upgrade that is called off', async () => {
      const fresh = start('v2', hash);
      await members(4);
      for (const process of fresh) await process.said('This process waits');
      await sleep(restMs);
      for (const process of fresh) await process.stop();
      await members(2);
    });
    await step('stateful change, by accepted plan', async () => {
      const fresh = start('v2', hash);
      await members(4);
      for (const process of fresh) await process.said('This process waits');
      for (const process of old) await process.stop();
      await members(2);
      await pauses.next();
      old = fresh;
      await sleep(restMs);
    });
    await step('rolled back, one process killed', async () => {
      const fresh = start('v1b', await plan('v1b', 3));
      await members(4);
      for (const process of fresh) await process.said('This process waits');
      await old[0]?.stop();
      await old[1]?.kill();
      await members(2);
      await pauses.next();
      old = fresh;
      await sleep(restMs);
    });
    await load.stop();
    await step('the rest is read', async () => {
      for (const process of old) await process.stop();
      await millrace('run', 'v1b', '--until-end').endsWith(0);
    });

    const compared: Record<string, Record<string, number>> = {};
    const wrong: Record<string, Record<string, number>> = {};
    for (const id of INPUTS) {
      const topics = { clicks: `${name}.${id}`, scored: `${name}.${id}.out`, dead: `${name}.dead` };
      const verdict = await check([broker], topics);
      compared[id] = verdict.compared;
      wrong[id] = verdict.wrong;
    }
    return { records: load.written, steps, compared, wrong };
  } finally {
    await load.stop().catch(() => undefined);
    pauses.stop();
    for (const process of processes) await process.kill();
    await admin.disconnect();
    await kafka.close();
  }
}

/** One `millrace` command over a version of the topology. */
class Process {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  out = '';
  err = '';

  constructor(
    command: string,
    private readonly version: Version,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    const main = `${repository}/dist/src/cli/main.cjs`;
    const all = [command, `test/upgrade/topology.ts#${version}`, '--profile', 'cluster', ...args];
    this.child = spawn(process.execPath, [main, ...all], { cwd: repository, env: { ...process.env, ...env } });
    this.child.stdout?.on('data', (data) => {
      this.out += data;
    });
    this.child.stderr?.on('data', (data) => {
      this.err += data;
    });
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  get failure(): string | undefined {
    const { exitCode } = this.child;
    return exitCode !== null && exitCode !== 0 ? `${this.version} ended with ${exitCode}: ${this.err}` : undefined;
  }

  async said(words: string): Promise<void> {
    await until(`'${words}'`, [this], async () => this.err.includes(words));
  }

  async endsWith(code: number): Promise<{ out: string; err: string }> {
    const tooLate = setTimeout(() => this.child.kill('SIGKILL'), 2 * PATIENCE_MS);
    const actual = await this.ended;
    clearTimeout(tooLate);
    if (actual !== code) throw new Error(`${this.version} ended with ${actual}, not ${code}: ${this.out}${this.err}`);
    return this;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.endsWith(0);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Writes both inputs at a steady pace. A key is in both, and the event time is the wall clock. */
class Load {
  written = 0;
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: DrillOptions,
  ) {}

  start(): void {
    this.running = this.run();
    this.running.catch(() => undefined); // `stop` tells
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    const { name, recordsPerSecond } = this.options;
    const producer = this.kafka.producer();
    const startedMs = Date.now();
    while (!this.stopping) {
      const due = Math.floor(((Date.now() - startedMs) * recordsPerSecond) / 1_000 / INPUTS.length);
      const from = this.written / INPUTS.length;
      const count = Math.min(due - from, 2_000);
      const records = Array.from({ length: count }, (_, index) => {
        const event: Event = { n: from + index, key: `k${(from + index) % KEYS}`, atMs: Date.now() };
        return { key: Buffer.from(event.key), value: Buffer.from(JSON.stringify(event)), timestampMs: event.atMs };
      });
      if (count > 0) await Promise.all(INPUTS.map((id) => producer.send(`${name}.${id}`, records)));
      this.written += INPUTS.length * count;
      await sleep(20);
    }
  }
}

/** Looks at the end of the first output ten times a second. */
class Pauses {
  longestMs = 0;
  private end = 0;
  private movedAtMs = Date.now();
  private readonly timer = setInterval(() => void this.look().catch(() => undefined), 100);

  constructor(
    private readonly kafka: Kafka,
    private readonly name: string,
  ) {}

  restart(): void {
    this.longestMs = 0;
    this.movedAtMs = Date.now();
  }

  /** Resolves with the next output. */
  async next(): Promise<void> {
    const from = this.end;
    await until('an output', [], async () => this.end > from);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const ends = await this.kafka.endOffsets(`${this.name}.${INPUTS[0]}.out`);
    const end = ends.reduce((sum, each) => sum + each, 0);
    const nowMs = Date.now();
    this.longestMs = Math.max(this.longestMs, nowMs - this.movedAtMs);
    if (end > this.end) this.movedAtMs = nowMs;
    this.end = end;
  }
}

async function until(what: string, processes: readonly Process[], is: () => Promise<boolean>): Promise<void> {
  const failed = new Set(processes.filter(({ failure }) => failure));
  const giveUpMs = Date.now() + PATIENCE_MS;
  while (!(await is())) {
    const dead = processes.find((process) => process.failure && !failed.has(process));
    if (dead) throw new Error(dead.failure);
    if (Date.now() > giveUpMs) throw new Error(`${what} did not come`);
    await sleep(100);
  }
}

const inSeconds = (ms: number): number => Math.round(ms / 100) / 10;
