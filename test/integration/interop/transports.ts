// How record batches come and go, by client: data, which the documents list too.

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

export interface Transport {
  readonly name: 'librdkafka' | 'java' | 'kafkajs';
  readonly title: string;
  /** What it writes and we read. */
  readonly writes: readonly Compression[];
  /** What we write and it reads. */
  readonly reads: readonly Compression[];
}

export const transports: readonly Transport[] = [
  { name: 'librdkafka', title: 'librdkafka', writes: compressions, reads: compressions },
  { name: 'java', title: "Kafka's own, in Java", writes: compressions, reads: compressions },
  // Itself it has gzip alone, and what it reads is what its own writer wrote.
  { name: 'kafkajs', title: 'kafkajs', writes: ['none', 'gzip'], reads: [] },
];
