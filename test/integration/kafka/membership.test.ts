import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { type Checkpoint, EARLIEST, type TaskLedger } from '../../../src/core/checkpoint.js';
import { seconds } from '../../../src/core/duration.js';
import type { Membership, TopologyVersion } from '../../../src/core/profile.js';
import type { SinkWriter } from '../../../src/core/sink.js';
import { originAt } from '../../../src/testing/contract.js';
import { foreignRead, fresh, open, sink, source } from './world.js';

const TASKS = 4;
const v1: TopologyVersion = { hash: 'h1', layout: 'l1', accepted: false };
const v2: TopologyVersion = { hash: 'h2', layout: 'l2', accepted: true };
const prefix = fresh('members');
let admin: Kafka;
const members: Member[] = [];
const topics: string[] = [];

beforeAll(async () => {
  admin = await open({ prefix });
});
afterEach(async () => {
  for (const member of members.splice(0)) await member.close();
});
afterAll(async () => {
  for (const topic of topics) await admin.deleteTopic(topic);
  await admin.close();
});

/** One process of a group, as the runtime would be, without the runtime. */
class Member {
  assigned: readonly number[] = [];
  history: (readonly number[])[] = [];
  memberId = '';
  failure: unknown;
  private membership: Membership | undefined;

  private constructor(
    readonly kafka: Kafka,
    readonly topology: string,
    readonly warnings: readonly string[],
  ) {}

  static async join(topology: string, version = v1): Promise<Member> {
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const member = new Member(await open({ prefix, sessionTimeout: seconds(6), onWarning }), topology, warnings);
    members.push(member);
    member.membership = await member.kafka.join({
      topology,
      sources: [source(`${topology}.in`)],
      tasks: TASKS,
      version,
      onAssigned(partitions) {
        member.assigned = partitions;
        member.history.push(partitions);
      },
      onJoined(memberId) {
        member.memberId = memberId;
      },
      onFailed(cause) {
        member.failure = cause;
      },
    });
    return member;
  }

  async open(partition: number): Promise<OpenTask> {
    const { kafka, topology } = this;
    const task = { topology, partition };
    const ledger = await kafka.openLedger(task);
    const { checkpoint } = await ledger.restore();
    const writer = await kafka.topicSink.open(sink(`${topology}.out`), { step: 'out', task, incarnation: 0 });
    const offset = checkpoint?.positions.in?.offset ?? EARLIEST;
    await (
      await kafka.source.open(source(`${topology}.in`), {
        task,
        partition: task.partition,
        offset,
        bounded: true,
        step: 'in',
      })
    ).close();
    return new OpenTask(ledger, writer, partition, checkpoint?.epoch ?? 0);
  }

  async close(): Promise<void> {
    await this.membership?.leave();
    await this.kafka.close();
  }
}

class OpenTask {
  constructor(
    readonly ledger: TaskLedger,
    private readonly writer: SinkWriter,
    private readonly partition: number,
    public epoch: number,
  ) {}

  async write(n: number): Promise<void> {
    await this.writer.write([{ n }], [originAt(n, this.partition)]);
  }

  async commit(): Promise<void> {
    this.epoch += 1;
    const positions = { in: { offset: this.epoch, mergeTimeMs: 1 } };
    const checkpoint: Checkpoint = {
      epoch: this.epoch,
      incarnation: 0,
      topologyHash: 'h',
      positions,
      settledDecisions: {},
    };
    await this.ledger.commit(checkpoint, []);
  }
}

async function newTopology(): Promise<string> {
  const topology = fresh('job');
  topics.push(`${topology}.in`, `${topology}.out`, `${prefix}.${topology}.changelog`);
  await admin.createTopic(`${topology}.in`, TASKS);
  await admin.createTopic(`${topology}.out`, TASKS);
  return topology;
}

const until = async (what: () => boolean) => {
  const giveUpMs = Date.now() + 20_000;
  while (!what()) {
    if (Date.now() > giveUpMs) throw new Error('it did not come to that');
    await sleep(5);
  }
};

const outputOf = async (topology: string): Promise<number[]> =>
  (await foreignRead(`${topology}.out`))
    .map(({ value }) => (JSON.parse(value ?? '') as { n: number }).n)
    .sort((a, b) => a - b);

describe('a member of a group', () => {
  it('gets every task when it is alone, without a wait', async () => {
    const topology = await newTopology();
    const beganMs = performance.now();
    const member = await Member.join(topology);
    process.stdout.write(`joining alone took ${(performance.now() - beganMs).toFixed(0)} ms\n`);
    expect(member.assigned).toEqual([0, 1, 2, 3]);
  });

  it('keeps what it can when another joins, and commits what it kept in the transaction that was open', async () => {
    const topology = await newTopology();
    const first = await Member.join(topology);
    const kept = await first.open(0);
    const lost = await first.open(3);
    await kept.write(1);
    await lost.write(2);
    const second = await Member.join(topology);
    await until(() => first.assigned.length === 2);
    expect(first.assigned).toEqual([0, 1]);
    expect(second.assigned).toEqual([2, 3]);
    await kept.commit();
    await expect(lost.commit()).rejects.toMatchObject({ code: 'fenced' });
    const taken = await second.open(3);
    await taken.write(2);
    await taken.commit();
    for (const task of [kept, lost, taken]) await task.ledger.close();
    expect(await outputOf(topology)).toEqual([1, 2]);
  });

  it('commits while the group waits for somebody who does not come', async () => {
    const topology = await newTopology();
    const first = await Member.join(topology);
    const task = await first.open(0);
    // Joins once and never again: the group waits for it until its session ends.
    const silent = await Member.join(topology);
    await until(() => first.assigned.length === 2);
    muteHeartbeats(silent);
    const third = Member.join(topology);
    const slowestMs: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const beganMs = performance.now();
      await task.write(n);
      await task.commit();
      slowestMs.push(performance.now() - beganMs);
      await sleep(100);
    }
    expect(Math.max(...slowestMs)).toBeLessThan(2_000);
    expect((await third).warnings).toEqual([expect.stringMatching(/waits for a process .* put out after 6 s/)]);
    expect(first.warnings).toEqual([]);
    await task.write(21);
    await task.commit();
    await task.ledger.close();
    expect(await outputOf(topology)).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
  });

  it('that was put out can neither commit nor take its tasks back, and joins again', async () => {
    const topology = await newTopology();
    const zombie = await Member.join(topology);
    const stale = await zombie.open(0);
    await stale.write(1);
    const other = await Member.join(topology);
    await until(() => zombie.assigned.length === 2);
    const beganMs = performance.now();
    await admin.removeMember(topology, zombie.memberId);
    await until(() => other.assigned.length === TASKS || zombie.history.some((tasks) => tasks.length === 0));
    process.stdout.write(
      `tasks of one that was put out were free after ${(performance.now() - beganMs).toFixed(0)} ms\n`,
    );
    await expect(stale.commit()).rejects.toMatchObject({ code: 'fenced' });
    expect(zombie.history).toContainEqual([]);
    await until(() => zombie.assigned.length === 2 && other.assigned.length === 2);

    const [mine] = other.assigned as [number];
    const rightful = await other.open(mine);
    await rightful.write(2);
    // Asking for a task that is another's fences nobody.
    await expect(zombie.open(mine)).rejects.toMatchObject({ code: 'fenced' });
    await rightful.commit();
    for (const task of [stale, rightful]) await task.ledger.close();
    expect(await outputOf(topology)).toEqual([2]);
    expect([zombie.failure, other.failure]).toEqual([undefined, undefined]);
  });

  it('leaves its tasks to the others at once', async () => {
    const topology = await newTopology();
    const first = await Member.join(topology);
    const second = await Member.join(topology);
    await until(() => first.assigned.length === 2);
    await second.close();
    await until(() => first.assigned.length === TASKS);
    expect(second.failure).toBeUndefined();
  });

  it('of another layout is refused, or stands by until the others have left where its plan was accepted; both are told', async () => {
    const topology = await newTopology();
    const first = await Member.join(topology);
    const kept = await first.open(0);
    const refused = Member.join(topology, { ...v2, accepted: false });
    await expect(refused).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(
        /of topology h2 \(layout l2, 4 tasks\): processes of topology h1 \(layout l1, 4 tasks\)/,
      ),
      hint: expect.stringContaining('--accept-plan h2'),
    });
    await (members.pop() as Member).close();
    expect(first.warnings.at(-1)).toMatch(/gives no tasks to .* of topology h2 \(layout l2, 4 tasks\)/);

    const [second, third] = [await Member.join(topology, v2), await Member.join(topology, v2)];
    await until(() => second.warnings.length > 0 && third.warnings.length > 0);
    expect(third.warnings.at(-1)).toContain('This process waits');
    expect([first.assigned.length, second.assigned.length, third.assigned.length]).toEqual([TASKS, 0, 0]);
    await kept.write(1);
    await kept.commit();
    // The same layout shares tasks, whatever else of the topology differs.
    const fourth = await Member.join(topology, { ...v1, hash: 'h1b' });
    await until(() => first.assigned.length === 2 && fourth.assigned.length === 2);
    await kept.ledger.close();
    await first.close();
    await until(() => fourth.assigned.length === TASKS);
    expect(second.assigned).toEqual([]);
    await fourth.close();
    await until(() => second.assigned.length === 2 && third.assigned.length === 2);
    await expect(Member.join(topology)).rejects.toMatchObject({ code: 'config' });
    expect(members.flatMap(({ failure }) => failure ?? [])).toEqual([]);
    expect(await outputOf(topology)).toEqual([1]);
  });

  it('shares out tasks whose inputs are no topics', async () => {
    const topology = await newTopology();
    const kafka = await open({ prefix, sessionTimeout: seconds(6) });
    let assigned: readonly number[] = [];
    const membership = await kafka.join({
      topology,
      sources: [{ ...source('files'), connector: 'file' }],
      tasks: 3,
      version: v1,
      onAssigned: (partitions) => {
        assigned = partitions;
      },
      onFailed: () => undefined,
    });
    await until(() => assigned.length > 0);
    expect(assigned).toEqual([0, 1, 2]);
    await membership.leave();
  });

  it('is told why the group does not take it', async () => {
    const topology = await newTopology();
    const kafka = await open({ prefix, sessionTimeout: seconds(1) });
    const joining = kafka.join({
      topology,
      sources: [source(`${topology}.in`)],
      tasks: TASKS,
      version: v1,
      onAssigned: () => undefined,
      onFailed: () => undefined,
    });
    await expect(joining).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('INVALID_SESSION_TIMEOUT'),
      hint: expect.stringContaining('group.min.session.timeout.ms'),
    });
    await kafka.close();
  });
});

/** As a process that hangs: alive for the broker until its session ends, and deaf. */
function muteHeartbeats(member: Member): void {
  const membership = (member as unknown as { membership: { beat(): Promise<boolean> } }).membership;
  membership.beat = async () => true;
}
