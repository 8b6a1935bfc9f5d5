import { createAPI, type Reader, ResponseError, Writer } from '@platformatic/kafka';
import { getOrInsert } from '../../../src/util/maps.js';
import { readTaggedFields } from './tagged-fields.js';

/** One encoded batch for one partition. */
export interface OutgoingBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** At most one per partition. */
  readonly batches: readonly OutgoingBatch[];
}

const ALL_REPLICAS = -1;
const TIMEOUT_MS = 30_000;

function createRequest({ transactionalId, batches }: ProduceRequest): Writer {
  const topics = new Map<string, OutgoingBatch[]>();
  for (const batch of batches) getOrInsert(topics, batch.topic, () => []).push(batch);
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(ALL_REPLICAS)
    .appendInt32(TIMEOUT_MS)
    .appendArray([...topics], (writer, [topic, partitions]) => {
      writer.appendString(topic).appendArray(partitions, (each, { partition, bytes }) => {
        each
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(bytes);
      });
    })
    .appendTaggedFields();
}

/** @throws the client's `ResponseError` if any batch was refused. */
function parseResponse(
  _correlation: number,
  apiKey: number,
  apiVersion: number,
  reader: Reader,
): { readonly throttleTimeMs: number } {
  const errors: Record<string, [number, string | null]> = {};
  reader.readArray((topic) => {
    const name = topic.readString();
    const readPartition = (each: Reader): void => {
      const partition = each.readInt32();
      const code = each.readInt16();
      each.readInt64(); // first offset
      each.readInt64(); // time of the append
      each.readInt64(); // start of the log
      const refused = each.readArray((record) => {
        record.readInt32();
        return record.readNullableString();
      });
      const message = each.readNullableString() ?? refused.find((text) => text) ?? null;
      readTaggedFields(each); // the new leader, which metadata also has
      if (code !== 0) errors[`/${name}/${partition}`] = [code, message];
    };
    topic.readArray(readPartition, true, false);
  });
  const throttleTimeMs = reader.readInt32();
  if (Object.keys(errors).length > 0) throw new ResponseError(apiKey, apiVersion, errors, undefined);
  return { throttleTimeMs };
}

const produce = (version: number) =>
  createAPI<[ProduceRequest], { readonly throttleTimeMs: number }>(0, version, createRequest, parseResponse);

/** Appends encoded batches with `acks=all`. */
export const produceApi = produce(9);

/** Likewise; the leader adds the partition to the transaction of the batch (KIP-890). */
export const produceInOwnEpochApi = produce(12);
