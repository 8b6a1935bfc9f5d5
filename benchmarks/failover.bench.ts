/**
 * How long after SIGKILL of a process with 1 GiB of state does each of its tasks commit again?
 *
 * Two processes share eight tasks on a broker beside them; one alone has the accounts, `keys` of them in four tasks. Every
 * 50 ms a probe goes to every task, to an account of its own, and is answered with how often that account was paid: twice,
 * or the state was not restored. Measured is the time from the kill of that process to the first committed answer of each
 * task to a probe that was sent after it, as a read_committed reader sees it: without a standby and with one, and each both
 * where somebody tells the group of the death (as `millrace run --processes` does) and where the session must time out (6 s).
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { Kafka } from '../connectors/kafka/open.js';
import type { Benchmark } from './benchmark.js';
import { Member } from './failover/member.js';
import { Probes } from './failover/probes.js';
import { topics } from './failover/topology.js';
import { withBroker } from './kafka/world.js';
import { type Spread, spreadOf } from './pairs.js';

export const options = { keys: 10_000_000 };

const LOADED = [0, 1, 2, 3];
const IDLE = [4, 5, 6, 7];
const IDLE_ACCOUNTS = 100_000;
const SESSION_MS = 6_000;

export const benchmark: Benchmark<typeof options> = (progress, { keys }) =>
  withBroker(progress, async (broker, kafka, _pid, dataDir) => {
    const accounts = [...LOADED.map(() => Math.ceil(keys / LOADED.length)), ...IDLE.map(() => IDLE_ACCOUNTS)];
    await kafka.createTopic(topics.payments, accounts.length);
    await kafka.createTopic(topics.balances, 1);
    const probes = await Probes.open(kafka, accounts);
    const crew: Crew = {
      start: (standbys) => new Member({ broker, standbys, sessionTimeoutMs: SESSION_MS }),
      kafka,
      probes,
    };
    await probes.fill(progress);
    probes.start();

    const figures: Record<string, Spread> = {};
    const details: Record<string, unknown> = {};
    for (const standbys of [0, 1]) {
      for (const told of [true, false]) {
        const name = `${standbys === 1 ? 'one standby' : 'no standby'}, ${told ? 'group told' : 'session times out'}`;
        const { seconds, ...rest } = await failOver(crew, standbys, told, progress);
        figures[name] = spreadOf(seconds);
        details[name] = rest;
        progress(`${name}: ${seconds.map((each) => each.toFixed(1)).join(', ')} s`);
      }
    }
    await probes.stop();
    if (probes.wrong > 0) throw new Error(`${probes.wrong} of ${probes.answered} answers tell of lost state`);
    details.answers = probes.answered;
    details.changelogBytes = changelogBytes(dataDir);
    return {
      unit: 'seconds from SIGKILL to the first committed answer of a task; the highest is the last',
      figures,
      ratios: {},
      details,
    };
  });

interface Crew {
  start(standbys: number): Member;
  readonly kafka: Kafka;
  readonly probes: Probes;
}

/** Two processes, one of which has all accounts and is killed; afterwards the other one ends. */
async function failOver(
  { start, kafka, probes }: Crew,
  standbys: number,
  told: boolean,
  progress: (line: string) => void,
) {
  const victim = start(standbys);
  await victim.until('it has every task', () => victim.tasks.length === LOADED.length + IDLE.length);
  const beganMs = Date.now();
  await probes.answersAfter(beganMs, [...LOADED, ...IDLE], 3_600_000);
  progress(`one process has everything, after ${((Date.now() - beganMs) / 1_000).toFixed(1)} s`);
  const heir = start(standbys);
  try {
    await heir.until(
      'it has its half',
      () => heir.tasks.length === IDLE.length && victim.tasks.length === LOADED.length,
    );
    const isReady = (task: number) => heir.standbys.some(({ partition, ready }) => partition === task && ready);
    if (standbys > 0) await heir.until('it is ready to take over', () => LOADED.every(isReady));
    await probes.answersAfter(Date.now(), [...LOADED, ...IDLE]);

    const [victimRssBytes, heirRssBytes] = [victim.rssBytes, heir.rssBytes];
    const stateBytes = heir.standbys.reduce((sum, { bytes }) => sum + bytes, 0);
    const cpuBefore = heir.cpuSeconds;
    heir.restored.clear();
    const lost = [...victim.tasks];
    const killedMs = Date.now();
    victim.kill();
    if (told) {
      await victim.ended;
      await kafka.removeMember('failover', victim.memberId);
    }
    const answers = await probes.answersAfter(killedMs, lost);
    const seconds = lost.map((task) => ((answers.get(task) as number) - killedMs) / 1_000);
    return {
      seconds,
      assignedAfterSeconds: (heir.assignedAtMs - killedMs) / 1_000,
      heirCpuSeconds: heir.cpuSeconds - cpuBefore,
      restored: Object.fromEntries(heir.restored),
      ...(standbys > 0 ? { stateBytes } : {}),
      victimRssBytes,
      heirRssBytes,
      heirRssAfterBytes: heir.rssBytes,
      load: Number(loadavg()[0]?.toFixed(1)),
    };
  } finally {
    victim.kill();
    await heir.stop();
  }
}

/** Of the segments on the broker's disk. */
function changelogBytes(dataDir: string): number {
  const log = join(dataDir, 'kafka', 'log');
  if (!existsSync(log)) return 0;
  const folders = readdirSync(log).filter((name) => name.startsWith('millrace.failover.changelog-'));
  const files = folders.flatMap((name) => readdirSync(join(log, name)).map((file) => join(log, name, file)));
  return files.filter((file) => file.endsWith('.log')).reduce((sum, file) => sum + statSync(file).size, 0);
}
