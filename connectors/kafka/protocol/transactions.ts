import { createAPI, endTxnV4, type Reader, ResponseError, txnOffsetCommitV4 } from '@platformatic/kafka';

// Transactions of which each has an epoch of its own (KIP-890): the requests that the client does not have.

/** Who writes the next transaction. */
export interface NextProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** @throws the client's `ResponseError` if the coordinator refuses. */
function parseEnd(_correlation: number, apiKey: number, apiVersion: number, reader: Reader): NextProducer {
  reader.readInt32(); // throttle time
  const code = reader.readInt16();
  if (code !== 0) throw new ResponseError(apiKey, apiVersion, { '/': [code, null] }, undefined);
  return { producerId: reader.readInt64(), producerEpoch: reader.readInt16() };
}

/** Ends a transaction and answers with the epoch of the next one, whose sequence numbers start at 0. */
export const endInOwnEpochApi = createAPI<Parameters<typeof endTxnV4.createRequest>, NextProducer>(
  26,
  5,
  endTxnV4.createRequest,
  parseEnd,
);

/** Commits offsets in a transaction; the coordinator of the group adds the group to it. */
export const commitOffsetsInOwnEpochApi = createAPI<
  Parameters<typeof txnOffsetCommitV4.createRequest>,
  ReturnType<typeof txnOffsetCommitV4.parseResponse>
>(28, 5, txnOffsetCommitV4.createRequest, txnOffsetCommitV4.parseResponse);
