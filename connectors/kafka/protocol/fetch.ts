import { createAPI, fetchV13, type Reader, ResponseError } from '@platformatic/kafka';
import type { FetchedPartition } from '../group/committed.js';
import { readTaggedFields } from './tagged-fields.js';

export interface FetchRequest {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  /** Of the leader, as far as this client knows: a broker that knows an older or a newer one refuses. Negative if unknown. */
  readonly leaderEpoch: number;
  /** Of the last record before `offset`; negative if unknown. */
  readonly lastFetchedEpoch: number;
  /** How long the broker waits for a first byte, in milliseconds. */
  readonly waitMaxMs: number;
  /** A larger batch is returned whole, alone. */
  readonly bytesMax: number;
  /** The rack of this client; empty if unknown. */
  readonly rack: string;
}

/** The broker's answer, and its throttle time. */
export interface Fetched extends FetchedPartition {
  readonly throttleTimeMs: number;
  /** The id of the broker to read from instead; negative if there is none. */
  readonly preferredReplica: number;
  /** Where the log of the broker parts from what was read: the largest epoch that both have, and its end. */
  readonly diverging?: { readonly epoch: number; readonly endOffset: number } | undefined;
}

const READ_COMMITTED = 1;
const NOTHING = Buffer.alloc(0);

function createRequest(request: FetchRequest) {
  const { topicId, partition, offset, leaderEpoch, lastFetchedEpoch, waitMaxMs, bytesMax, rack } = request;
  const asked = {
    partition,
    currentLeaderEpoch: leaderEpoch,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch,
    partitionMaxBytes: bytesMax,
  };
  const topics = [{ topicId, partitions: [asked] }];
  return fetchV13.createRequest(waitMaxMs, 1, bytesMax, READ_COMMITTED, 0, -1, topics, [], rack);
}

/** @throws the client's `ResponseError` if the answer or its partition has an error code. */
function parseResponse(_correlation: number, apiKey: number, apiVersion: number, reader: Reader): Fetched {
  const fail = (errorCode: number) => new ResponseError(apiKey, apiVersion, { '/': [errorCode, null] }, undefined);
  const throttleTimeMs = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32(); // session
  if (errorCode !== 0) throw fail(errorCode);
  const topics = reader.readArray((topic) => {
    topic.readUUID();
    return topic.readArray(parsePartition, true, false);
  });
  const fetched = topics[0]?.[0];
  if (!fetched)
    return { throttleTimeMs, preferredReplica: -1, highWatermark: -1, stableOffset: -1, aborted: [], bytes: NOTHING };
  if (fetched.errorCode !== 0) throw fail(fetched.errorCode);
  return { ...fetched, throttleTimeMs };
}

function parsePartition(reader: Reader): Omit<Fetched, 'throttleTimeMs'> & { errorCode: number } {
  reader.readInt32(); // partition
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const stableOffset = Number(reader.readInt64());
  reader.readInt64(); // log start offset
  const aborted =
    reader.readNullableArray((each) => ({
      producerId: each.readInt64(),
      firstOffset: Number(each.readInt64()),
    })) ?? [];
  const preferredReplica = reader.readInt32();
  const size = reader.readUnsignedVarInt() - 1;
  const bytes = size > 0 ? reader.buffer.slice(reader.position, reader.position + size) : NOTHING;
  if (size > 0) reader.skip(size);
  const diverging = parseDiverging(reader);
  return { errorCode, preferredReplica, highWatermark, stableOffset, aborted, bytes, diverging };
}

/** Field 0 of the tagged fields (KIP-595); the others name the leader, which metadata also has. */
function parseDiverging(reader: Reader): Fetched['diverging'] {
  let diverging: Fetched['diverging'];
  readTaggedFields(reader, (tag) => {
    if (tag === 0) diverging = { epoch: reader.readInt32(), endOffset: Number(reader.readInt64()) };
  });
  return diverging;
}

/** Fetches committed records of one partition as bytes; the client's own parser would decode them and leak memory. */
export const fetchApi = createAPI<[FetchRequest], Fetched>(1, 13, createRequest, parseResponse);
