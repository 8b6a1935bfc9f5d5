/**
 * What does a member of a group cost that reads nothing, and how soon does a second one have its share?
 *
 * Our calls of the group protocol, and the consumers of kafkajs (all partitions paused) and @platformatic/kafka (joined, not
 * consuming); 4 partitions, heartbeats every 250 ms. The second member counts until both have two partitions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark } from './benchmark.js';
import { withBroker } from './kafka/world.js';
import { byKafkajs, byMillrace, byPlatformatic, type Member } from './membership/members.js';
import { type Spread, spreadOf } from './pairs.js';

export const options = { rounds: 5 };

const IDLE_MS = 4_000;
const GIVE_UP_MS = 30_000;

async function untilShared(members: readonly Member[]): Promise<void> {
  const giveUpMs = performance.now() + GIVE_UP_MS;
  while (!members.every((member) => member.partitions() === 2)) {
    if (performance.now() > giveUpMs) throw new Error('the partitions were not shared');
    await sleep(5);
  }
}

export const benchmark: Benchmark<typeof options> = (progress, { rounds }) =>
  withBroker(progress, async (broker, kafka) => {
    const topic = 'bench-members';
    await kafka.createTopic(topic, 4);
    const joins = { Millrace: byMillrace, kafkajs: byKafkajs, '@platformatic/kafka': byPlatformatic };
    const idle: Record<string, number[]> = {};
    const share: Record<string, number[]> = {};
    for (let round = -1; round < rounds; round++) {
      for (const [name, join] of Object.entries(joins)) {
        const group = `members-${name.replace(/\W/g, '')}-${round}`;
        const first = await join({ broker, topic, group });
        await sleep(500);
        const before = process.cpuUsage();
        await sleep(IDLE_MS);
        const { user, system } = process.cpuUsage(before);
        const startedMs = performance.now();
        const second = await join({ broker, topic, group });
        await untilShared([first, second]);
        const ms = performance.now() - startedMs;
        await second.leave();
        await first.leave();
        progress(`round ${round + 1}/${rounds}  ${name}: shared after ${Math.round(ms)} ms`);
        if (round < 0) continue; // a warm-up
        idle[name] = [...(idle[name] ?? []), (user + system) / IDLE_MS];
        share[name] = [...(share[name] ?? []), ms];
      }
    }
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const name of Object.keys(joins)) {
      const [cost = [], ms = []] = [idle[name], share[name]];
      figures[`${name}: ms of CPU a second, idle`] = spreadOf(cost);
      figures[`${name}: ms until a second member has its share`] = spreadOf(ms);
      if (name === 'Millrace') continue;
      ratios[`CPU when idle, ${name} through Millrace`] = spreadOf(
        cost.map((one, n) => one / (idle.Millrace?.[n] ?? 1)),
      );
    }
    return { unit: 'as named', figures, ratios };
  });
