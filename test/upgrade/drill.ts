import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { type Kafka, openKafka } from '../../connectors/kafka/open.js';
import { localRegistry } from '../../src/schema/index.js';
import { check } from '../chaos/verdict.js';
import { Load } from './load.js';
import { DrillProcess, inSeconds, millrace, until } from './process.js';
import type { DrillOptions } from './run-drill.js';

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
  const processes: DrillProcess[] = [];
  const topics = INPUTS.map((id) => `${name}.${id}`);
  const load = new Load(kafka, topics, options.recordsPerSecond);
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
  const command = (verb: string, version: Version, ...args: string[]): DrillProcess => {
    const line = millrace(verb, `test/upgrade/topology.ts#${version}`, '--profile', 'cluster', ...args);
    const process = new DrillProcess(version, line, { MILLRACE_KAFKA: broker, DRILL_NAME: name });
    processes.push(process);
    return process;
  };
  const start = (version: Version, hash?: string) =>
    Array.from({ length: 2 }, () => command('run', version, ...(hash === undefined ? [] : ['--accept-plan', hash])));
  const members = async (count: number) => {
    await until(`${count} members`, processes, async () => {
      const [group] = (await admin.describeGroups([`millrace.${name}`])).groups;
      return group?.state === 'Stable' && group.members.length === count;
    });
  };
  const plan = async (version: Version, code: number): Promise<string> => {
    const { out } = await command('plan', version).endsWith(code);
    return /--accept-plan (\w+)/.exec(out)?.[1] ?? '';
  };

  try {
    await admin.connect();
    for (const topic of topics) await kafka.createTopic(topic, TASKS);
    let old: DrillProcess[] = [];
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
        const fresh = command('run', 'v1b');
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
      const { err } = await command('run', 'v2').endsWith(1);
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
      await command('run', 'v1b', '--until-end').endsWith(0);
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
