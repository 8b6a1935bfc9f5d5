import { createAPI, fetchV13, type Reader, ResponseError } from '@platformatic/kafka';
import type { FetchedPartition } from '../group/committed.js';

export interface FetchRequest {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  /** How long the broker waits for a first byte, in milliseconds. */
  readonly waitMaxMs: number;
  /** A batch larger than this comes whole, alone. */
  readonly bytesMax: number;
  /** Where this client is; nothing where that is not known. */
  readonly rack: string;
}

/** What the broker answered, and how long it wants to be left alone. */
export interface Fetched extends FetchedPartition {
  readonly throttleTimeMs: number;
  /** Id of the broker to read instead of this one; negative where there is none. */
  readonly preferredReplica: number;
}

const READ_COMMITTED = 1;
const NOTHING = Buffer.alloc(0);

function createRequest({ topicId, partition, offset, waitMaxMs, bytesMax, rack }: FetchRequest) {
  const asked = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: bytesMax,
  };
  const topics = [{ topicId, partitions: [asked] }];
  return fetchV13.createRequest(waitMaxMs, 1, bytesMax, READ_COMMITTED, 0, -1, topics, [], rack);
}

/** @throws the client's `ResponseError` where the answer as a whole, or that of the partition, carries a code. */
function parseResponse(_correlation: number, apiKey: number, apiVersion: number, reader: Reader): Fetched {
  const fail = (errorCode: number) => new ResponseError(apiKey, apiVersion, { '/': [errorCode, null] }, undefined);
  const throttleTimeMs = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32(); // session
  if (errorCode !== 0) throw fail(errorCode);
  const topics = reader.readArray((topic) => {
    topic.readUUID();
    return topic.readArray(parsePartition);
  });
  const fetched = topics[0]?.[0];
  if (!fetched) return { throttleTimeMs, preferredReplica: -1, highWatermark: -1, aborted: [], bytes: NOTHING };
  if (fetched.errorCode !== 0) throw fail(fetched.errorCode);
  return { ...fetched, throttleTimeMs };
}

function parsePartition(reader: Reader): Omit<Fetched, 'throttleTimeMs'> & { errorCode: number } {
  reader.readInt32(); // partition
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  reader.readInt64(); // last stable offset: nothing beyond it is sent
  reader.readInt64(); // start of the log
  const aborted =
    reader.readNullableArray((each) => ({
      producerId: each.readInt64(),
      firstOffset: Number(each.readInt64()),
    })) ?? [];
  const preferredReplica = reader.readInt32();
  const size = reader.readUnsignedVarInt() - 1;
  const bytes = size > 0 ? reader.buffer.slice(reader.position, reader.position + size) : NOTHING;
  if (size > 0) reader.skip(size);
  return { errorCode, preferredReplica, highWatermark, aborted, bytes };
}

/** Fetches committed records of one partition, as bytes: the client's own parser would decode, and leak, them. */
export const fetchApi = createAPI<[FetchRequest], Fetched>(1, 13, createRequest, parseResponse);
