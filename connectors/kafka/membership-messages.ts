import type { MemberClaim } from './sticky-assigner.js';

// The two messages that members of a group exchange through the broker, in the layout of Kafka's consumer protocol
// (version 1 of ConsumerProtocolSubscription and ConsumerProtocolAssignment), so that Kafka's own tools show who has
// which partition. What only Millrace understands lies in their user data.

const VERSION = 1;

/** What a member says of itself when it joins. */
export interface Subscription {
  readonly topics: readonly string[];
  readonly owned: readonly number[];
  readonly generation: number;
}

export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  const userData = Buffer.from(JSON.stringify({ owned, generation }));
  const noPartitions = int32(0); // owned ones stand in the user data
  return Buffer.concat([
    int16(VERSION),
    int32(topics.length),
    ...topics.map(string),
    int32(userData.length),
    userData,
    noPartitions,
  ]);
}

/** What a member claims; nothing where another client joined the group or the bytes make no sense. */
export function decodeClaim(memberId: string, metadata: Buffer): MemberClaim {
  const none = { memberId, owned: [], generation: -1 };
  try {
    const reader = new Reader(metadata);
    reader.int16();
    for (let left = reader.int32(); left > 0; left--) reader.string();
    const said: unknown = JSON.parse(reader.bytes().toString());
    const { owned, generation } = said as { owned?: unknown; generation?: unknown };
    return Array.isArray(owned) && typeof generation === 'number' ? { memberId, owned, generation } : none;
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) return none;
    throw error;
  }
}

/** A task is the partition of its number in every topic. */
export function encodeAssignment(topics: readonly string[], tasks: readonly number[]): Buffer {
  const partitions = Buffer.concat([int32(tasks.length), ...tasks.map(int32)]);
  return Buffer.concat([
    int16(VERSION),
    int32(topics.length),
    ...topics.flatMap((topic) => [string(topic), partitions]),
    int32(-1),
  ]);
}

/** The tasks of an assignment; none where it is empty, as that of a member that the leader did not know. */
export function decodeAssignment(bytes: Buffer): number[] {
  if (bytes.length === 0) return [];
  const reader = new Reader(bytes);
  reader.int16();
  if (reader.int32() === 0) return [];
  reader.string();
  return Array.from({ length: reader.int32() }, () => reader.int32());
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}

class Reader {
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  string(): string {
    const length = this.int16();
    this.at += length;
    return this.buffer.toString('utf8', this.at - length, this.at);
  }

  bytes(): Buffer {
    const length = this.int32();
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
}
