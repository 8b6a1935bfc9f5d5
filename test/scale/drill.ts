import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { openKafka } from '../../connectors/kafka/open.js';
import { localRegistry } from '../../src/schema/index.js';
import type { ScaleSignal } from '../../src/server/scale-route.js';
import { check, type Verdict } from '../chaos/verdict.js';
import { lastingPorts } from '../ports.js';
import { Load } from '../upgrade/load.js';
import { DrillProcess, inSeconds, millrace, until } from '../upgrade/process.js';
import type { DrillOptions } from '../upgrade/run-drill.js';
import { autoscaler } from './autoscaler.js';
import { Replicas } from './replicas.js';

/** What became of one step of the drill. */
export interface DrillStep {
  readonly step: string;
  /** Until it was below five seconds behind, with the processes that were wanted. */
  readonly seconds: number;
  /** Records without a commit of the group, over those that come in a second: the most, and at the end of the step. */
  readonly mostSecondsBehind: number;
  readonly secondsBehind: number;
  readonly processes: number;
  /** That were written to the inputs meanwhile. */
  readonly recordsPerSecond: number;
}

export interface DrillResult extends Verdict {
  readonly records: number;
  /** What a process can take, and what the autoscaler aims at. */
  readonly capacity: { readonly recordsPerSecondMax: number; readonly target: number; readonly secondsBehind: number };
  readonly steps: readonly DrillStep[];
  /** What the autoscaler has decided, and upon what. */
  readonly decisions: readonly string[];
}

const TASKS = 12;
const MOST = 6;
/** After the peak. */
const LOW = 0.325;
export const BEHIND_MAX = 5;
/** Kubernetes looks every fifteen seconds, and waits for five minutes before it takes processes away. */
const DECIDE_EVERY_MS = 5_000;
const WINDOWS = { upWindowMs: 10_000, downWindowMs: 30_000 };
const PATIENCE_MS = 240_000;

/**
 * One process to six to two, as an autoscaler decides upon what `/scale` says, while records keep coming; of six one is ended and one is
 * killed. Then an independent reader compares all outputs with the inputs.
 *
 * A process takes at most a quarter of the records of the peak: a limit that stands for that of its CPU, so that six are
 * needed on any machine.
 *
 * @throws Error if a process fails or a step takes too long. Nothing of it outlives the call.
 */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const { broker, name, recordsPerSecond, restMs, log } = options;
  const capacity = {
    recordsPerSecondMax: recordsPerSecond / 4,
    target: recordsPerSecond / 5.7,
    secondsBehind: BEHIND_MAX,
  };
  const inputs = [`${name}.orders`, `${name}.refunds`];
  const kafka = await openKafka({ brokers: [broker], registry: localRegistry() });
  const admin = new KafkaJs({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  const load = new Load(kafka, inputs, recordsPerSecond);
  const ports = await lastingPorts(2 * MOST); // those that leave and those that come
  const replicas = new Replicas({ broker, name, ports, recordsPerSecondMax: capacity.recordsPerSecondMax });
  const decide = autoscaler({ min: 1, max: MOST, ...WINDOWS });
  const steps: DrillStep[] = [];
  const decisions: string[] = [];
  let signal: ScaleSignal | undefined;
  let isOver = false;

  /** Measured by a foreign client, from what the group has committed. */
  const behind = async (): Promise<number> => {
    const committed = await admin.fetchOffsets({ groupId: `millrace.${name}`, topics: inputs });
    const done = committed.flatMap(({ partitions }) => partitions.map(({ offset }) => Math.max(0, Number(offset))));
    return (load.written - done.reduce((sum, offset) => sum + offset, 0)) / load.recordsPerSecond;
  };
  let mostBehind = 0;
  const look = async () => {
    mostBehind = Math.max(mostBehind, await behind());
  };
  const scaling = async () => {
    for (let asked = 0; !isOver; asked += 1) {
      const urls = await replicas.ready();
      signal = urls.length === 0 ? undefined : await signalAt(urls[asked % urls.length] as string);
      const before = replicas.count;
      const wanted = decide(
        before,
        [
          { value: signal?.secondsBehind, target: BEHIND_MAX, type: 'Value' },
          { value: signal?.recordsPerSecond, target: capacity.target, type: 'AverageValue' },
        ],
        Date.now(),
      );
      const said = signal
        ? `${signal.secondsBehind.toFixed(1)} s behind, ${Math.round(signal.recordsPerSecond)} records/s in ${signal.processes}`
        : 'the signal is not known';
      log(`  ${said}: ${before} wanted${wanted === before ? '' : `, now ${wanted}`}`);
      if (wanted !== before) decisions.push(`${before} to ${wanted}: ${said}`);
      replicas.scale(wanted);
      await sleep(DECIDE_EVERY_MS);
    }
  };
  const step = async (what: string, wanted: number, act: () => Promise<void> | void) => {
    const beganMs = Date.now();
    const writtenBefore = load.written;
    mostBehind = 0;
    signal = undefined;
    await act();
    const isThere = async () => {
      await look();
      const failure = replicas.processes.find((process) => process.failure)?.failure;
      if (failure) throw new Error(failure);
      const isCaughtUp = (signal?.secondsBehind ?? BEHIND_MAX) < BEHIND_MAX && (await behind()) < BEHIND_MAX;
      return isCaughtUp && replicas.count === wanted && (await replicas.ready()).length === wanted;
    };
    await until(what, [], isThere, PATIENCE_MS);
    const seconds = inSeconds(Date.now() - beganMs);
    for (const restedMs = Date.now() + restMs; Date.now() < restedMs; await sleep(500)) await look();
    const done = {
      step: what,
      seconds,
      mostSecondsBehind: inSeconds(1_000 * mostBehind),
      secondsBehind: inSeconds(1_000 * (await behind())),
      processes: replicas.count,
      recordsPerSecond: Math.round((1_000 * (load.written - writtenBefore)) / (Date.now() - beganMs)),
    };
    steps.push(done);
    log(`${what}: ${seconds} s, at most ${done.mostSecondsBehind} s behind, now ${done.secondsBehind} s`);
  };

  try {
    await admin.connect();
    for (const topic of inputs) await kafka.createTopic(topic, TASKS);
    replicas.scale(1);
    await until('a process', replicas.processes, async () => (await replicas.ready()).length === 1);
    load.start();
    const scaler = scaling();
    scaler.catch(() => undefined); // awaited below
    await step('from 1 process to 6', MOST, () => undefined);
    await step('one of 6 ended by SIGTERM', MOST, () => replicas.replaceOldest('SIGTERM'));
    await step('one of 6 ended by SIGKILL', MOST, () => replicas.replaceOldest('SIGKILL'));
    await step('fewer records: from 6 processes to 2', 2, () => {
      load.recordsPerSecond = LOW * recordsPerSecond;
    });
    await load.stop();
    isOver = true;
    await scaler;
    await replicas.stop();
    const topology = 'test/upgrade/topology.ts#v1';
    const rest = millrace('run', topology, '--profile', 'cluster', '--until-end');
    await new DrillProcess('the rest', rest, { MILLRACE_KAFKA: broker, DRILL_NAME: name }).endsWith(0);

    const verdicts: Verdict[] = [];
    for (const topic of inputs)
      verdicts.push(await check([broker], { clicks: topic, scored: `${topic}.out`, dead: `${name}.dead` }));
    const [first, second] = verdicts as [Verdict, Verdict];
    return {
      ...{ records: load.written, capacity, steps, decisions },
      compared: { ...first.compared, ...added(first.compared, second.compared) },
      wrong: added(first.wrong, second.wrong),
    };
  } finally {
    isOver = true;
    await load.stop().catch(() => undefined);
    await replicas.kill();
    await admin.disconnect();
    await kafka.close();
  }
}

const added = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(a).map(([name, count]) => [name, count + (b[name] ?? 0)]));

async function signalAt(url: string): Promise<ScaleSignal | undefined> {
  const answer = await fetch(`${url}/scale`, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
  return answer?.ok ? ((await answer.json()) as ScaleSignal) : undefined;
}
