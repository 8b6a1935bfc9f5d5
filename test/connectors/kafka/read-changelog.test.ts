import { afterEach, describe, expect, it, vi } from 'vitest';
import { changeRecord, checkpointRecord } from '../../../connectors/kafka/checkpoint/changelog.js';
import { ChangelogFollower, readChangelog } from '../../../connectors/kafka/checkpoint/read-changelog.js';
import type { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { CommittedRange } from '../../../connectors/kafka/group/committed.js';
import { PartitionLog } from '../../../connectors/kafka/partition-log.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import { dataBatch } from './batches.js';

const cluster = { apiTimeoutMs: 20 } as Cluster;
const change = (bucket: number, text: string) =>
  changeRecord({ step: 'learn', cell: 'weights', bucket, version: 1, bytes: Buffer.from(text) }, 1);
const checkpoint = { epoch: 1, incarnation: 1, topologyHash: 'h', positions: {}, settledDecisions: {} };
const stored = checkpointRecord({ checkpoint, inputs: {} }, 1);

/** A log that gives a batch of these records at each fetch, up to a high watermark; then nothing. `undefined`: the broker still waits. */
function logOf(highWatermark: number, ...batches: readonly (readonly OutgoingRecord[] | undefined)[]) {
  let offset = 0;
  let isClosed = false;
  const left = [...batches];
  vi.spyOn(PartitionLog, 'open').mockResolvedValue({
    get offset() {
      return offset;
    },
    async nextSoon() {
      const waits = left.length > 0 && left[0] === undefined;
      const records = left.shift();
      if (waits) return undefined;
      const bytes = records ? dataBatch(offset, records) : Buffer.alloc(0);
      const range = new CommittedRange(
        { bytes, aborted: [], highWatermark, stableOffset: highWatermark },
        offset,
        'log',
      );
      offset = range.nextOffset;
      return range;
    },
    async close() {
      isClosed = true;
    },
  } as Partial<PartitionLog> as PartitionLog);
  return { isClosed: () => isClosed };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('ChangelogFollower', () => {
  it('counts what it has read, what is left, and how large the newest values are', async () => {
    logOf(5, [change(0, 'old'), change(1, 'one')], [change(0, 'newest'), stored]);
    const follower = await ChangelogFollower.open(cluster, 'changelog', 0);
    expect(await follower.step()).toBe(true);
    expect([follower.offset, follower.records, follower.recordsBehind, follower.bytes]).toEqual([2, 2, 3, 14]);
    await follower.step();
    expect([follower.offset, follower.records, follower.recordsBehind, follower.bytes]).toEqual([4, 4, 1, 17]);
    const { state } = follower.restored();
    expect(state.map(({ bytes }) => Buffer.from(bytes ?? []).toString())).toEqual(['newest', 'one']);
  });

  it('goes on where a broker has waited for records', async () => {
    logOf(3, [change(0, 'a')], undefined, [change(1, 'b'), stored]);
    const follower = await ChangelogFollower.open(cluster, 'changelog', 0);
    expect(await follower.step()).toBe(true);
    expect([await follower.step(), follower.offset]).toEqual([false, 1]);
    await follower.readTo(3);
    expect(follower.restored().state).toHaveLength(2);
  });

  it('reads up to an offset, and gives up where a transaction does not end', async () => {
    const whole = logOf(3, [change(0, 'a'), stored], [change(1, 'b')]);
    expect((await readChangelog(cluster, 'changelog', 0, 2)).state).toHaveLength(1);
    expect(whole.isClosed()).toBe(true);
    const stuck = logOf(3, [change(0, 'a'), stored]);
    await expect(readChangelog(cluster, 'changelog', 0, 3)).rejects.toThrow('cannot be read beyond 2 of 3');
    expect(stuck.isClosed()).toBe(true);
  });
});
