import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV5,
  NetworkError,
  ProtocolError,
  Reader,
  ResponseError,
  txnOffsetCommitV4,
  Writer,
} from '@platformatic/kafka';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Admin } from '../../../connectors/kafka/admin.js';
import { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { TaskLease } from '../../../connectors/kafka/group/task-lease.js';
import { produceApi, produceInOwnEpochApi } from '../../../connectors/kafka/protocol/produce.js';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { commitOffsetsInOwnEpochApi } from '../../../connectors/kafka/protocol/transactions.js';
import { Transaction, type TransactionOptions } from '../../../connectors/kafka/transaction.js';
import { rangeOf, record, recordsOf, text } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const ID = 'loader';
const GROUP = 'group';

async function opened({
  ownEpochs = false,
  ...options
}: Partial<TransactionOptions> & { readonly ownEpochs?: boolean } = {}) {
  const brokers = memoryKafka({ ownEpochs });
  const cluster = await Cluster.open({ brokers: brokers.addresses, apiTimeoutMs: 1_000 });
  const admin = new Admin(cluster);
  await admin.createTopic('a', 2);
  await admin.createTopic('b', 1);
  const create = () =>
    new Transaction(cluster, { transactionalId: ID, group: GROUP, timeoutMs: 60_000, lease: undefined, ...options });
  const transaction = create();
  await transaction.begin();
  /** What readers of committed records find in a partition. */
  const committed = (topic: string, partition: number) => {
    const log = brokers.topics.get(topic)?.logs[partition];
    const { bytes, aborted } = log?.read(log.start, 2 ** 30) ?? { bytes: Buffer.alloc(0), aborted: [] };
    return recordsOf(rangeOf([bytes], { aborted })).map(({ value }) => text(value));
  };
  const offsets = () => Object.fromEntries(brokers.groupOf(GROUP).offsets);
  return { brokers, create, transaction, committed, offsets };
}

const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset });
const stateOf = ({ transactions }: ReturnType<typeof memoryKafka>) => transactions.get(ID)?.state;

/** The answer of a coordinator that takes no offsets, with the code of each partition, as the client reads it. */
function refusedOffsets(ownEpochs: boolean, codes: Readonly<Record<string, readonly number[]>>) {
  const api = ownEpochs ? commitOffsetsInOwnEpochApi : txnOffsetCommitV4.api;
  const answer = Writer.create()
    .appendInt32(0)
    .appendArray(Object.entries(codes), (topic, [name, partitions]) => {
      topic.appendString(name).appendArray([...partitions], (each, code, partition) => {
        each.appendInt32(partition).appendInt16(code);
      });
    });
  try {
    txnOffsetCommitV4.parseResponse(1, 28, 4, Reader.from(answer.dynamicBuffer.slice()));
  } catch (error) {
    return [api, error as Error] as const;
  }
  throw new Error('the client takes it for a success');
}

describe.each([false, true])('a transaction, with an epoch of its own: %s', (ownEpochs) => {
  it('shows its records and offsets at its commit, all of them and once', async () => {
    const { transaction, committed, offsets, brokers } = await opened({ ownEpochs });
    for (let epoch = 1; epoch <= 3; epoch++) {
      const before = Array.from({ length: epoch - 1 }, (_, n) => `${n + 1}`);
      transaction.add('a', 0, record(`${epoch}`));
      transaction.add('a', 1, record(`${epoch}`));
      transaction.add('b', 0, record(`${epoch}`));
      expect([committed('a', 0), committed('a', 1), committed('b', 0)]).toEqual([before, before, before]);
      await transaction.commit([at('a', 1, epoch), at('b', 0, 10 * epoch)]);
      const after = [...before, `${epoch}`];
      expect([committed('a', 0), committed('a', 1), committed('b', 0)]).toEqual([after, after, after]);
      expect(offsets()).toEqual({ 'a/1': epoch, 'b/0': 10 * epoch });
      expect(stateOf(brokers)).toBe('CompleteCommit');
    }
    expect(brokers.transactions.get(ID)?.epoch).toBe(ownEpochs ? 3 : 0);
    await transaction.close();
  });

  it('commits offsets without records, and asks for nothing where there is nothing to commit', async () => {
    const { transaction, offsets, brokers } = await opened({ ownEpochs });
    await transaction.commit([]);
    expect(stateOf(brokers)).toBe('Empty');
    await transaction.commit([at('a', 0, 7)]);
    expect(offsets()).toEqual({ 'a/0': 7 });
    await transaction.close();
    expect(stateOf(brokers)).toBe('CompleteCommit');
  });

  it('is aborted where it is closed before its commit', async () => {
    const { transaction, committed, brokers } = await opened({ ownEpochs });
    transaction.add('a', 0, record('x'.repeat(999_000)));
    transaction.add('a', 0, record('y'.repeat(999_000))); // the first leaves at once
    await vi.waitFor(() => expect(stateOf(brokers)).toBe('Ongoing'));
    await transaction.close();
    expect(stateOf(brokers)).toBe('CompleteAbort');
    expect(committed('a', 0)).toEqual([]);
    await expect(transaction.commit([at('a', 0, 1)])).rejects.toMatchObject({ code: 'state' });
  });

  it('is fenced by a new owner, and a commit after it changes nothing', async () => {
    const { transaction, create, committed, offsets } = await opened({ ownEpochs });
    transaction.add('a', 0, record('old'));
    const next = create();
    await next.begin();
    const fenced = { code: 'fenced', where: ID, message: 'another process has taken the task over' };
    await expect(transaction.commit([at('a', 0, 1)])).rejects.toMatchObject(fenced);
    expect(transaction.congested).toBe(true); // writers must hear of it
    await expect(transaction.settle()).rejects.toMatchObject(fenced);
    await transaction.close();
    next.add('a', 0, record('new'));
    await next.commit([at('a', 0, 2)]);
    expect([committed('a', 0), offsets()]).toEqual([['new'], { 'a/0': 2 }]);
    await next.close();
  });

  it('that took too long is no fence: it may begin again', async () => {
    const { transaction, brokers, committed } = await opened({ ownEpochs, timeoutMs: 1_000 });
    transaction.add('a', 0, record('x'.repeat(999_000)));
    transaction.add('a', 0, record('y'.repeat(999_000)));
    await vi.waitFor(() => expect(stateOf(brokers)).toBe('Ongoing'));
    brokers.timeOut(ID);
    const nowMs = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => nowMs + 1_000);
    await expect(transaction.commit([at('a', 0, 1)])).rejects.toMatchObject({
      ...{ code: 'sink', where: ID, hint: expect.stringContaining('raise transactionTimeout') },
      message: 'a transaction took longer than 1000 ms and was aborted by the broker',
    });
    clock.mockRestore();
    expect(committed('a', 0)).toEqual([]);
    await transaction.close();
  });
});

describe('a transaction', () => {
  it('has each partition added once, before its first batch, and those of the last one ahead of the commit', async () => {
    const { transaction, brokers } = await opened();
    const added = () => brokers.asked(addPartitionsToTxnV3.api).map(([[transaction]]) => transaction?.topics);
    for (const value of ['1', '2']) {
      for (const partition of [0, 1]) transaction.add('a', partition, record(value));
      transaction.add('b', 0, record(value));
    }
    await transaction.commit([at('a', 0, 1)]);
    const all = [
      { name: 'a', partitions: [0, 1] },
      { name: 'b', partitions: [0] },
    ];
    expect(added()).toEqual([all]);
    transaction.add('a', 1, record('3'));
    await vi.waitFor(() => expect(brokers.asked(addOffsetsToTxnV3.api)).toHaveLength(2)); // while records still come
    expect(added()).toEqual([all, all]);
    await transaction.commit([at('a', 0, 2)]);
    expect(brokers.asked(addOffsetsToTxnV3.api)).toHaveLength(2);
    // What the second wrote is what the third adds.
    transaction.add('b', 0, record('4'));
    await transaction.commit([]);
    expect(added().slice(2)).toEqual([[{ name: 'a', partitions: [1] }], [{ name: 'b', partitions: [0] }]]);
    // The third had no offsets, but its opening had reckoned with some.
    transaction.add('b', 0, record('5'));
    await transaction.commit([]);
    expect(brokers.asked(addOffsetsToTxnV3.api)).toHaveLength(3);
    await transaction.close();
  });

  it('asks a coordinator again that is busy or has moved', async () => {
    const { transaction, brokers, offsets } = await opened();
    brokers.fail(addPartitionsToTxnV3.api, new ProtocolError('CONCURRENT_TRANSACTIONS'));
    brokers.fail(txnOffsetCommitV4.api, new ProtocolError('COORDINATOR_LOAD_IN_PROGRESS'));
    brokers.fail(endTxnV3.api, new ProtocolError('NOT_COORDINATOR'));
    const before = brokers.asked(findCoordinatorV4.api).length;
    transaction.add('a', 0, record('x'));
    await transaction.commit([at('a', 0, 1)]);
    expect(offsets()).toEqual({ 'a/0': 1 });
    // The first for offsets, and again after each error but that of a transaction which is still being ended.
    expect(brokers.asked(findCoordinatorV4.api).length - before).toBe(3);
    await transaction.close();
  });

  it('whose end was not answered is of unknown result: it fails, and is neither repeated nor aborted', async () => {
    const { transaction, brokers } = await opened();
    brokers.fail(endTxnV3.api, new NetworkError('the connection is gone'), true);
    transaction.add('a', 0, record('x'));
    const failure = { code: 'sink', where: ID, message: expect.stringContaining('will be read again') };
    await expect(transaction.commit([])).rejects.toMatchObject(failure);
    transaction.add('a', 0, record('y'));
    await expect(transaction.commit([])).rejects.toMatchObject(failure);
    await transaction.close();
    expect([brokers.asked(endTxnV3.api).length, stateOf(brokers)]).toEqual([1, 'CompleteCommit']);
  });

  it('that a commit is ending is left to the next owner where it is closed meanwhile', async () => {
    const { transaction, brokers } = await opened();
    transaction.add('a', 0, record('x'));
    const committing = transaction.commit([]);
    await transaction.close();
    await expect(committing).rejects.toMatchObject({ code: 'state', message: 'the transaction is closed' });
    expect(brokers.asked(endTxnV3.api)).toEqual([]);
  });

  it.each([false, true])('names the topic that it may not write to, epochs of its own: %s', async (ownEpochs) => {
    const { transaction, brokers } = await opened({ ownEpochs });
    if (ownEpochs) brokers.fail(produceInOwnEpochApi, new ResponseError(0, 12, { '/a/0': [29, null] }, undefined));
    else {
      const path = '/results_by_transaction/0/topic_results/0/results_by_partitions/0';
      const results = [
        { name: 'a', resultsByPartition: [{ partitionIndex: 0, partitionErrorCode: 29 }] },
        { name: 'b', resultsByPartition: [{ partitionIndex: 0, partitionErrorCode: 55 }] },
      ];
      const response = { resultsByTransaction: [{ transactionalId: '', topicResults: results }] };
      brokers.fail(addPartitionsToTxnV3.api, new ResponseError(24, 3, { [path]: [29, null] }, response));
    }
    transaction.add('a', 0, record('x'));
    transaction.add('b', 0, record('x'));
    await expect(transaction.commit([])).rejects.toMatchObject({
      ...{ code: 'sink', where: ID, permanent: true, hint: "grant the user 'Write' on the topic" },
      message: "this user may not write to 'a': TOPIC_AUTHORIZATION_FAILED",
    });
    await transaction.close();
  });

  it.each([false, true])('names topics that it may not read, epochs of its own: %s', async (ownEpochs) => {
    const { transaction, brokers, offsets } = await opened({ ownEpochs });
    const [api, fault] = refusedOffsets(ownEpochs, { a: [29, 29], b: [0], c: [29] });
    brokers.fail(api, fault);
    await expect(transaction.commit([at('a', 0, 1), at('b', 0, 1)])).rejects.toMatchObject({
      ...{ code: 'sink', where: ID, permanent: true, hint: "grant the user 'Read' on the topic" },
      message: "this user may not commit offsets of 'a', 'c': TOPIC_AUTHORIZATION_FAILED",
    });
    expect(offsets()).toEqual({});
    await transaction.close();
  });

  it.each([false, true])('names the group that it may not read, epochs of its own: %s', async (ownEpochs) => {
    const { transaction, brokers } = await opened({ ownEpochs });
    if (ownEpochs) brokers.fail(...refusedOffsets(ownEpochs, { a: [30] }));
    else brokers.fail(addOffsetsToTxnV3.api, new ResponseError(25, 3, { '': [30, null] }, {}));
    await expect(transaction.commit([at('a', 0, 1)])).rejects.toMatchObject({
      ...{ code: 'sink', where: ID, permanent: true, hint: "grant the user 'Read' on the group" },
      message: "this user may not commit offsets of group 'group': GROUP_AUTHORIZATION_FAILED",
    });
    await transaction.close();
  });

  it('that cannot begin says where', async () => {
    const { create, brokers } = await opened();
    brokers.fail(initProducerIdV5.api, new ProtocolError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'));
    await expect(create().begin()).rejects.toMatchObject({ code: 'state', where: ID });
  });

  it('lets writers wait above 16 MiB on their way, until less is', async () => {
    const { transaction, committed } = await opened();
    const large = 'x'.repeat(990_000);
    const batches = Math.ceil((16 * 2 ** 20) / 990_000);
    for (let n = 0; n < batches; n++) transaction.add('a', 0, record(large)); // the last one is not sealed yet
    expect(transaction.congested).toBe(false);
    transaction.add('a', 0, record(large));
    expect(transaction.congested).toBe(true);
    await transaction.settle();
    expect(transaction.congested).toBe(false);
    await transaction.commit([]);
    expect(committed('a', 0)).toHaveLength(batches + 1);
    await transaction.close();
  });

  it('compresses and limits what it writes to a topic', async () => {
    const { transaction, brokers } = await opened({ compression: 'gzip' });
    const codecs = () =>
      brokers
        .asked(produceApi)
        .flatMap(([{ batches }]) => batches)
        .map(({ bytes }) => bytes.readInt16BE(batch.attributes) & batch.compression);
    transaction.compress('b', 'none');
    transaction.limit('b', 200);
    expect(transaction.refusal('b', record('x'.repeat(300)))).toContain("'b'");
    expect(transaction.refusal('b', record('x'))).toBeUndefined();
    expect(transaction.refusal('a', record('x'.repeat(300)))).toBeUndefined();
    for (const topic of ['a', 'b']) transaction.add(topic, 0, record('x'.repeat(100)));
    await transaction.commit([]);
    expect(codecs().sort()).toEqual([0, 1]);
    await transaction.close();
  });

  it('commits offsets as the member that holds the task, under a new identity where the group has one', async () => {
    const group = {
      identity: { generation: 3, memberId: 'me' },
      async nextAssignment() {
        group.identity = { generation: 4, memberId: 'me' };
      },
    };
    const lease = new TaskLease(group, 'task');
    const { transaction, brokers, offsets } = await opened({ lease });
    brokers.fail(txnOffsetCommitV4.api, new ProtocolError('ILLEGAL_GENERATION'));
    await transaction.commit([at('a', 0, 1)]);
    expect(offsets()).toEqual({ 'a/0': 1 });
    expect(brokers.asked(txnOffsetCommitV4.api).map((args) => args.slice(4, 6))).toEqual([
      [3, 'me'],
      [4, 'me'],
    ]);
    lease.end();
    await expect(transaction.commit([at('a', 0, 2)])).rejects.toMatchObject({ code: 'fenced', where: 'task' });
    await transaction.close();
  });

  it('without a group names no member', async () => {
    const { transaction, brokers } = await opened();
    await transaction.commit([at('a', 0, 1)]);
    expect(brokers.asked(txnOffsetCommitV4.api)[0]?.slice(4, 6)).toEqual([-1, '']);
    await transaction.close();
  });
});
