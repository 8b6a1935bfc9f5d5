import assert from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kafka, openKafka } from '../../connectors/kafka/open.js';
import { localRegistry } from '../../src/schema/index.js';
import { layoutHash, topologyHash } from '../../src/topology/index.js';
import { withBroker } from '../kafka/world.js';
import { type Spread, spreadsOf } from '../pairs.js';
import { Worker } from './process.js';
import { counting } from './topologies.js';
import { writeVisits } from './visits.js';

const TOPIC = 'bench.visits';
const PREFIX = 'group';
/** Of each partition and round: a little to do for the real process. */
const RECORDS = 4;
const GIVE_UP_MS = 60_000;

/** Of a group; times are in milliseconds. */
export interface Group {
  /** From the start of all members until each task has one owner. */
  readonly joinedMs: Spread;
  readonly leftMs: Spread;
  readonly cameMs: Spread;
  /** Tasks that changed their owner when a member came, and those of members that stayed when one left. */
  readonly movedToNew: Spread;
  readonly movedOnLeave: Spread;
  /** From the start of a real process that joins until each of its tasks has committed. */
  readonly processMs: Spread;
}

type Figures = { readonly [name in keyof Group]: number };

/** A member that takes tasks and does not run them. */
class Member {
  tasks: readonly number[] = [];
  private constructor(
    private readonly kafka: Kafka,
    private leaveGroup: () => Promise<void>,
  ) {}

  static async join(broker: string, tasks: number): Promise<Member> {
    const kafka = await openKafka({ brokers: [broker], registry: localRegistry(), prefix: PREFIX });
    const topology = counting(TOPIC);
    const member = new Member(kafka, async () => undefined);
    const membership = await kafka.join({
      topology: topology.name,
      sources: topology.sources.map(({ source }) => source),
      tasks,
      version: { hash: topologyHash(topology), layout: layoutHash(topology), accepted: false },
      onAssigned(assigned) {
        member.tasks = assigned;
      },
      onFailed(cause) {
        throw cause;
      },
    });
    member.leaveGroup = () => membership.leave();
    return member;
  }

  async leave(): Promise<void> {
    await this.leaveGroup();
    await this.kafka.close();
  }
}

/**
 * Members of a group in this process, each with connections, heartbeats and assignments of its own; none runs a task. At the end one
 * real process comes in the place of a member, and runs its share.
 */
export async function groupOf(
  progress: (line: string) => void,
  { members: count, tasks, rounds }: { readonly members: number; readonly tasks: number; readonly rounds: number },
): Promise<Group> {
  const found: Figures[] = [];
  await withBroker(progress, async (broker) => {
    // A broker needs a while until it leads so many new partitions.
    const patient = await openKafka({ brokers: [broker], registry: localRegistry(), apiTimeoutMs: 180_000 });
    const counts = Array.from({ length: tasks }, () => RECORDS);
    const write = () => writeVisits(patient, TOPIC, counts);
    await write();
    progress(`a topic with ${tasks} partitions is there`);
    const join = () => Member.join(broker, tasks);
    for (let round = -1; round < rounds; round++) {
      let startedMs = performance.now();
      const members = await Promise.all(Array.from({ length: count }, join));
      await shared(members, tasks);
      const joinedMs = performance.now() - startedMs;

      let before = ownersOf(members);
      const [leaves] = members.splice(0, 1) as [Member];
      const lost = new Set(leaves.tasks);
      startedMs = performance.now();
      await leaves.leave();
      await shared(members, tasks);
      const leftMs = performance.now() - startedMs;
      const movedOnLeave = moved(before, ownersOf(members)).filter((task) => !lost.has(task)).length;

      before = ownersOf(members);
      startedMs = performance.now();
      members.push(await join());
      await shared(members, tasks);
      const cameMs = performance.now() - startedMs;
      const movedToNew = moved(before, ownersOf(members)).length;

      const [replaced] = members.splice(0, 1) as [Member];
      await replaced.leave();
      await write();
      const worker = new Worker({ broker, topology: 'counting', topic: TOPIC, prefix: PREFIX });
      const share = Math.floor(tasks / count);
      const { firstCommitsMs } = await worker.until(
        'its tasks have committed',
        (status) => status.firstCommitsMs.length >= share,
        100,
      );
      await worker.stop();
      await Promise.all(members.map((member) => member.leave()));
      const figures: Figures = {
        ...{ joinedMs, leftMs, cameMs, movedToNew, movedOnLeave },
        processMs: Math.max(...firstCommitsMs),
      };
      const text = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value)}`);
      progress(`round ${round + 1}/${rounds}  ${text.join(', ')}`);
      if (round >= 0) found.push(figures); // the first one creates topics
    }
    await patient.close();
  });
  return spreadsOf(found);
}

/** Resolves when each task has one owner and no member has more than one task more than another. */
async function shared(members: readonly Member[], tasks: number): Promise<void> {
  const least = Math.floor(tasks / members.length);
  const most = Math.ceil(tasks / members.length);
  const isShared = () =>
    members.every((member) => member.tasks.length >= least && member.tasks.length <= most) &&
    new Set(members.flatMap((member) => member.tasks)).size === tasks;
  for (const giveUpMs = performance.now() + GIVE_UP_MS; !isShared(); await sleep(5))
    assert(performance.now() < giveUpMs, 'the tasks were not shared');
}

const ownersOf = (members: readonly Member[]): ReadonlyMap<number, Member> =>
  new Map(members.flatMap((member) => member.tasks.map((task) => [task, member] as const)));

const moved = (before: ReadonlyMap<number, Member>, after: ReadonlyMap<number, Member>): number[] =>
  [...after].filter(([task, member]) => before.get(task) !== member).map(([task]) => task);
