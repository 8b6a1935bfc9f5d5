// The layout of a record batch, message format 2: https://kafka.apache.org/documentation/#recordbatch

/** Byte offsets of the header's fields, its length, and the bits of its attributes. */
export const batch = {
  baseOffset: 0,
  length: 8,
  /** `length` counts the bytes from here. */
  lengthCountsFrom: 12,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  /** The checksum covers everything from here. */
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  sequence: 53,
  count: 57,
  headerBytes: 61,

  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;

/** The producer of a batch: brokers drop repeated sequence numbers and fence older epochs by it. */
export interface ProducerStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The number of the batch's first record, counted per partition. */
  readonly sequence: number;
  readonly transactional: boolean;
}
