import { describeGroupsV5, ProtocolError } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { code } from '../../../connectors/kafka/protocol/broker-error.js';
import { type Checkpoint, EARLIEST } from '../../../src/core/checkpoint.js';
import type { StateChange } from '../../../src/core/state.js';
import { source } from '../../integration/kafka/world.js';
import { memoryKafka } from './memory-kafka.js';

let brokers: ReturnType<typeof memoryKafka>;
let kafka: Kafka;
beforeEach(async () => {
  brokers = memoryKafka();
  kafka = await brokers.connect();
  await kafka.createTopic('in', 2);
});
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

const TASK = { topology: 'job', partition: 1 };
const NOTHING = { checkpoint: undefined, state: [], topics: {} };
const checkpoint = (epoch: number, positions: Checkpoint['positions'] = {}): Checkpoint => ({
  ...{ epoch, incarnation: 0, topologyHash: 'hash', positions, settledDecisions: {} },
});
const change = (bucket: number, bytes: string | null): StateChange => ({
  ...{ step: 's', cell: 'c', bucket, version: 1, bytes: bytes === null ? null : Buffer.from(bytes) },
});
const brief = (state: readonly StateChange[]) =>
  Object.fromEntries(state.map(({ bucket, bytes }) => [bucket, bytes && Buffer.from(bytes).toString()]));
const offsets = () => Object.fromEntries(brokers.groupOf('millrace.job').offsets);

/** Commits an epoch as a run does. */
async function run(epoch: number, changes: readonly StateChange[], offset = epoch) {
  const ledger = await kafka.openLedger(TASK);
  const { checkpoint: before } = await ledger.restore();
  const reader = await kafka.source.open(source('in'), {
    task: TASK,
    partition: 1,
    offset: EARLIEST,
    bounded: true,
    step: 'in',
  });
  await reader.close();
  await ledger.commit(checkpoint(epoch, { in: { offset, mergeTimeMs: 0 } }), changes);
  await ledger.close();
  return before;
}

describe('the checkpoints of a cluster', () => {
  it('are those of tasks that have committed', async () => {
    expect(await kafka.checkpoints.tasks('job')).toEqual([]);
    expect(await kafka.checkpoints.inspect(TASK)).toEqual(NOTHING);
    await run(1, [change(0, 'a'), change(1, 'b')]);
    expect(await kafka.checkpoints.tasks('job')).toEqual([1]);
    const { checkpoint: found, state, topics } = await kafka.checkpoints.inspect(TASK);
    expect(found).toEqual(checkpoint(1, { in: { offset: 1, mergeTimeMs: 0 } }));
    expect([brief(state), topics]).toEqual([{ 0: 'a', 1: 'b' }, { in: 'in' }]);
    // A partition that the changelog does not have.
    expect(await kafka.checkpoints.inspect({ topology: 'job', partition: 2 })).toEqual(NOTHING);
  });

  it('that this user may not see are not taken for none', async () => {
    await run(1, [change(0, 'a')]);
    const [changelog = ''] = [...brokers.topics.keys()].filter((name) => name !== 'in');
    brokers.unseen.set(changelog, code.topicAuthorizationFailed);
    const failure = { where: changelog, permanent: true };
    await expect(kafka.checkpoints.inspect(TASK)).rejects.toMatchObject(failure);
    await expect(kafka.checkpoints.tasks('job')).rejects.toMatchObject(failure);
  });

  it('are replaced with all of their state and the offsets of the group, at once', async () => {
    await run(1, [change(0, 'a'), change(1, 'b')]);
    const owner = await kafka.openLedger(TASK);
    await owner.restore();
    const position = (offset: number, sourceState?: unknown) => ({
      offset,
      mergeTimeMs: 0,
      ...(sourceState ? { sourceState } : {}),
    });
    const positions = {
      in: position(7, { leaderEpoch: 3 }),
      unread: position(EARLIEST),
      file: position(4, { name: 'a.csv' }),
    };
    const given = checkpoint(9, positions);
    const topics = { in: 'in', unread: 'in' };
    await kafka.checkpoints.replace(TASK, { checkpoint: given, state: [change(1, 'c'), change(2, 'd')], topics });
    const { checkpoint: found, state } = await kafka.checkpoints.inspect(TASK);
    // The leader epochs of another cluster say nothing here; what other connectors keep stays.
    expect(found).toEqual({ ...given, positions: { ...positions, in: position(7) } });
    expect(brief(state)).toEqual({ 1: 'c', 2: 'd' });
    expect(offsets()).toEqual({ 'in/1': 7 });
    await expect(owner.commit(checkpoint(2), [])).rejects.toMatchObject({ code: 'fenced' });
    await owner.close();
    expect((await run(10, [], 8))?.epoch).toBe(9);
  });

  it('are put where no task has run yet, in a changelog with its partition', async () => {
    await kafka.checkpoints.replace(TASK, { checkpoint: checkpoint(3), state: [], topics: {} });
    expect(await kafka.checkpoints.tasks('job')).toEqual([1]);
    expect(brokers.topics.get('millrace.job.changelog')?.logs).toHaveLength(2);
    expect(offsets()).toEqual({});
  });

  it('are as large as they are: more than is sent at once', async () => {
    const state = Array.from({ length: 40 }, (_, bucket) => change(bucket, 'x'.repeat(900_000)));
    await kafka.checkpoints.replace(TASK, { checkpoint: checkpoint(3), state, topics: {} });
    expect((await kafka.checkpoints.inspect(TASK)).state).toHaveLength(40);
  });

  it('need the topics of their positions', async () => {
    const stored = { checkpoint: checkpoint(3), state: [], topics: { in: 'missing' } };
    await expect(kafka.checkpoints.replace(TASK, stored)).rejects.toMatchObject({ code: 'source', where: 'missing' });
    expect(await kafka.checkpoints.tasks('job')).toEqual([]);
  });

  it('may be replaced while no process runs the topology', async () => {
    await kafka.checkpoints.mustBeStopped('job');
    for (const [name, message] of [
      ['a', '1 process runs the topology'],
      ['b', '2 processes run the topology'],
    ] as const) {
      brokers.groupOf('millrace.job').members.set(name, Buffer.alloc(0));
      await expect(kafka.checkpoints.mustBeStopped('job')).rejects.toMatchObject({
        code: 'config',
        where: 'job',
        message,
      });
    }
    brokers.fail(describeGroupsV5.api, new ProtocolError('GROUP_AUTHORIZATION_FAILED'));
    await expect(kafka.checkpoints.mustBeStopped('job')).rejects.toMatchObject({
      ...{ code: 'state', message: expect.stringContaining("cannot look up group 'millrace.job'") },
    });
  });
});
