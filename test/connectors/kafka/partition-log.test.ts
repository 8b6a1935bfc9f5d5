import { ProtocolError } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import { PartitionLog } from '../../../connectors/kafka/partition-log.js';
import type { Fetched, FetchRequest } from '../../../connectors/kafka/protocol/fetch.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import { dataBatch, ofEpoch } from './batches.js';

const leader = { host: 'leader', port: 1 };
const follower = { host: 'follower', port: 2 };
const NEAR = 7;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A leader that names broker 7 to whoever says where it is, of a cluster in which that broker is known after a look. */
function racked(foundByLooking: boolean) {
  let looked = false;
  const cluster: Partial<Cluster> = {
    rack: 'here',
    apiTimeoutMs: 1_000,
    leader: async () => ({ topicId: 'id', address: leader, epoch: 3 }),
    startOffset: async () => 0,
    endOffset: async () => 5,
    broker: (id) => (id === NEAR && looked && foundByLooking ? follower : undefined),
    refresh: async () => {
      looked = true;
      return undefined;
    },
  };
  const asked: string[] = [];
  const nothing = {
    throttleTimeMs: 0,
    preferredReplica: -1,
    highWatermark: 5,
    stableOffset: 5,
    aborted: [],
    bytes: Buffer.alloc(0),
  };
  vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async (
    { host }: typeof leader,
    _api: unknown,
    { rack }: FetchRequest,
  ): Promise<Fetched> => {
    asked.push(`${host} ${rack}`.trim());
    return host === 'leader' && rack !== '' ? { ...nothing, preferredReplica: NEAR } : nothing;
  }) as never);
  return { cluster: cluster as Cluster, asked };
}

describe('PartitionLog', () => {
  it('looks for a broker that the leader names and nobody knows, and reads there', async () => {
    const { cluster, asked } = racked(true);
    const log = await PartitionLog.open(cluster, 'topic', 0, 0);
    await log.next();
    expect(asked.slice(0, 2)).toEqual(['leader here', 'follower here']);
    await log.close();
  });

  it('reads at the leader where that broker is nowhere to be found: it would give nothing for ever', async () => {
    const { cluster, asked } = racked(false);
    const log = await PartitionLog.open(cluster, 'topic', 0, 0);
    await log.next();
    expect(asked.slice(0, 2)).toEqual(['leader here', 'leader']);
    await log.close();
  });

  it('refuses an offset beyond the end, where a log was cut or made anew, whatever is to be done about deleted records', async () => {
    const { cluster } = racked(true);
    for (const onDataLoss of [undefined, 'earliest', 'latest'] as const)
      await expect(PartitionLog.open(cluster, 'topic', 0, 6, { onDataLoss })).rejects.toMatchObject({
        code: 'source',
        permanent: true,
        message: 'offset 6 of topic/0 is gone: the log holds 0 to 5',
      });
    const log = await PartitionLog.open(cluster, 'topic', 0, 5); // the end itself: what comes next
    expect(log.offset).toBe(5);
    await log.close();
  });

  it('counts the records of every gap until it is asked', async () => {
    const { cluster } = racked(true);
    const starts = [0, 3, 10, 10];
    const deleted = Object.assign(cluster, {
      startOffset: async () => starts.shift() ?? 10,
      endOffset: async () => 20,
    });
    let failures = 2;
    vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async () => {
      if (failures-- > 0) throw new ProtocolError('OFFSET_OUT_OF_RANGE');
      return {
        throttleTimeMs: 0,
        preferredReplica: -1,
        highWatermark: 20,
        stableOffset: 20,
        aborted: [],
        bytes: Buffer.alloc(0),
      };
    }) as never);
    const log = await PartitionLog.open(deleted, 'topic', 0, 1, { onDataLoss: 'earliest' });
    await log.next();
    expect(log.takeSkipped()).toBe(2 + 7);
    expect(log.takeSkipped()).toBe(0);
    await log.close();
  });

  /** Fetches are answered in turn, by bytes or by what makes them fail; then there is nothing more. */
  function answered(...answers: readonly (Partial<Fetched> | Error)[]) {
    const asked: Pick<FetchRequest, 'offset' | 'leaderEpoch' | 'lastFetchedEpoch'>[] = [];
    const left = [...answers];
    vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async (
      _address: unknown,
      _api: unknown,
      { offset, leaderEpoch, lastFetchedEpoch }: FetchRequest,
    ): Promise<Fetched> => {
      asked.push({ offset, leaderEpoch, lastFetchedEpoch });
      const answer = left.shift() ?? {};
      if (answer instanceof Error) throw answer;
      const nothing = {
        throttleTimeMs: 0,
        preferredReplica: -1,
        highWatermark: 5,
        stableOffset: 5,
        aborted: [],
        bytes: Buffer.alloc(0),
      };
      return { ...nothing, ...answer };
    }) as never);
    return asked;
  }

  it('reads ahead, but not beside a range that takes more than it may hold, and not when it is closed', async () => {
    const { cluster } = racked(true);
    Object.assign(cluster, { rack: '' });
    /** How often the broker was asked when the first range had been read. */
    async function askedAfterOne(bytesMax: number, isClosed = false): Promise<number> {
      const asked = answered({ bytes: dataBatch(0, ['a', 'b']) });
      const log = await PartitionLog.open(cluster, 'topic', 0, 0, { bytesMax });
      const first = log.next();
      if (isClosed) await log.close();
      await first;
      const times = asked.length;
      await log.close();
      return times;
    }
    expect(await askedAfterOne(1_000)).toBe(2);
    expect(await askedAfterOne(10)).toBe(1);
    expect(await askedAfterOne(1_000, true)).toBe(1);
  });

  it('tells the broker which leader it knows and which one wrote the last record that it has', async () => {
    const { cluster } = racked(true);
    Object.assign(cluster, { rack: '' });
    const batches = [ofEpoch(1, dataBatch(0, ['a', 'b'])), ofEpoch(3, dataBatch(2, ['c']))];
    const asked = answered({ bytes: Buffer.concat(batches) });
    const log = await PartitionLog.open(cluster, 'topic', 0, EARLIEST);
    await log.next();
    await log.close();
    expect(asked.slice(0, 2)).toEqual([
      { offset: 0, leaderEpoch: 3, lastFetchedEpoch: -1 },
      { offset: 3, leaderEpoch: 3, lastFetchedEpoch: 3 },
    ]);
    expect([log.epochBefore(0), log.epochBefore(2), log.epochBefore(3)]).toEqual([-1, 1, 3]);
  });

  it('asks again where the broker knows another leader than it was told', async () => {
    const { cluster } = racked(true);
    const epochs = [3, 3, 4];
    Object.assign(cluster, {
      rack: '',
      leader: async () => ({ topicId: 'id', address: leader, epoch: epochs.shift() ?? 4 }),
    });
    const asked = answered(new ProtocolError('FENCED_LEADER_EPOCH'), new ProtocolError('UNKNOWN_LEADER_EPOCH'), {
      bytes: ofEpoch(4, dataBatch(0, ['a'])),
    });
    const log = await PartitionLog.open(cluster, 'topic', 0, EARLIEST);
    await log.next();
    await log.close();
    expect(asked.slice(0, 4)).toEqual([
      { offset: 0, leaderEpoch: 3, lastFetchedEpoch: -1 },
      { offset: 0, leaderEpoch: 4, lastFetchedEpoch: -1 },
      { offset: 0, leaderEpoch: 4, lastFetchedEpoch: -1 },
      { offset: 1, leaderEpoch: 4, lastFetchedEpoch: 4 },
    ]);
  });

  it.each([
    ['names where its log parts', { diverging: { epoch: 2, endOffset: 3 } }],
    ['does not know the epoch of what was read', new ProtocolError('OFFSET_OUT_OF_RANGE')],
  ])(
    'fails where the leader %s: for good at the checkpoint, until a restore where it has read on',
    async (_, answer) => {
      const { cluster } = racked(true);
      answered(answer);
      const restored = await PartitionLog.open(cluster, 'topic', 0, 4, { epoch: 3 });
      await expect(restored.next()).rejects.toMatchObject({
        code: 'source',
        permanent: true,
        message: 'the records of topic/0 before 4, of epoch 3, are not in its log',
      });
      await restored.close();

      answered({ bytes: ofEpoch(3, dataBatch(4, ['a'])) }, answer);
      const running = await PartitionLog.open(cluster, 'topic', 0, 4, { epoch: 3 });
      await running.next();
      await expect(running.next()).rejects.toMatchObject({ code: 'source', permanent: false });
      await running.close();
    },
  );

  /** Brokers that answer with nothing when they have waited for as long as they were asked to, or with the next bytes when these come. */
  function waiting(requestTimeoutMs?: number) {
    const { cluster } = racked(true);
    Object.assign(cluster, { rack: '', linkOptions: { requestTimeoutMs } });
    const waits: number[] = [];
    let appended: ((bytes: Buffer) => void) | undefined;
    vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation(
      ((_address: unknown, _api: unknown, { waitMaxMs }: FetchRequest) =>
        new Promise((resolve) => {
          waits.push(waitMaxMs);
          const answer = (bytes: Buffer) =>
            resolve({ throttleTimeMs: 0, preferredReplica: -1, highWatermark: 5, stableOffset: 5, aborted: [], bytes });
          appended = answer;
          setTimeout(() => answer(Buffer.alloc(0)), waitMaxMs);
        })) as never,
    );
    return { cluster, waits, append: (bytes: Buffer) => appended?.(bytes) };
  }

  describe('of an idle topic', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.runOnlyPendingTimers(); // the next beat is that of all logs
      vi.useRealTimers();
    });

    it('lets a broker wait longer and longer until records come, and then for all idle logs until the same time', async () => {
      const { cluster, waits, append } = waiting();
      const log = await PartitionLog.open(cluster, 'topic', 0, 0);
      for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 7_250]) {
        const range = log.next();
        await vi.advanceTimersByTimeAsync(waitMs);
        expect((await range).bytes).toBe(0);
      }
      expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 7_250, 7_500]);
      append(dataBatch(0, ['a']));
      expect((await log.next()).nextOffset).toBe(1);
      expect(waits.at(-1)).toBe(250);
      await log.close();
    });

    it('does not let a broker wait for long where answers must come soon', async () => {
      const { cluster, waits } = waiting(2_000);
      const log = await PartitionLog.open(cluster, 'topic', 0, 0);
      for (let n = 0; n < 3; n++) {
        const range = log.next();
        await vi.advanceTimersByTimeAsync(4_000);
        await range;
      }
      expect(waits).toEqual([250, 250, 500, 500]);
      await log.close();
    });

    it('says soon that nothing came, and gives what comes later', async () => {
      const { cluster, waits, append } = waiting();
      const log = await PartitionLog.open(cluster, 'topic', 0, 0);
      const soon = async (afterMs: number) => {
        let found: { readonly bytes: number } | undefined | 'waits' = 'waits';
        void log.nextSoon().then((range) => {
          found = range;
        });
        await vi.advanceTimersByTimeAsync(afterMs);
        return found as typeof found;
      };
      expect([await soon(250), await soon(500)]).toMatchObject([{ bytes: 0 }, { bytes: 0 }]);
      expect([await soon(500), await soon(500)]).toMatchObject([undefined, { bytes: 0 }]);
      expect([await soon(500), waits]).toEqual([undefined, [250, 500, 1_000, 2_000]]);
      append(dataBatch(0, ['a']));
      expect(await soon(0)).toMatchObject({ nextOffset: 1 });
      await log.close();
    });

    it('says so of all logs that wait at once', async () => {
      const { cluster } = waiting();
      const logs = await Promise.all([0, 0, 0].map((offset) => PartitionLog.open(cluster, 'topic', 0, offset)));
      await Promise.all([...logs.map((log) => log.next()), vi.advanceTimersByTimeAsync(250)]);
      await Promise.all([...logs.map((log) => log.next()), vi.advanceTimersByTimeAsync(500)]);
      const answers: number[] = [];
      for (const [i, log] of logs.entries()) {
        void log.nextSoon().then(() => answers.push(i));
        await vi.advanceTimersByTimeAsync(200);
      }
      expect(answers).toEqual([0, 1, 2]); // 500 ms after the first asked
      await Promise.all(logs.map((log) => log.close()));
    });

    it('waits for a broker that ought to have answered', async () => {
      const { cluster } = waiting();
      const log = await PartitionLog.open(cluster, 'topic', 0, 0);
      await Promise.all([log.next(), vi.advanceTimersByTimeAsync(250)]);
      await Promise.all([log.next(), vi.advanceTimersByTimeAsync(500)]);
      vi.mocked(ConnectionPool.prototype.request).mockImplementation((() => new Promise(() => undefined)) as never);
      await Promise.all([log.next(), vi.advanceTimersByTimeAsync(1_000)]); // what comes after it hangs
      const answers: unknown[] = [];
      const ask = () => log.nextSoon().then((range) => answers.push(range));
      for (let n = 0; n < 3; n++) void (await Promise.all([ask(), vi.advanceTimersByTimeAsync(500)]));
      void ask();
      await vi.advanceTimersByTimeAsync(20_000);
      expect(answers).toEqual([undefined, undefined, undefined]);
    });
  });
});
