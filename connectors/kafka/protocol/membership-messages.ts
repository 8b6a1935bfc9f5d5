import type { Share } from '../group/assign-tasks.js';
import { isVersion } from '../group/layouts.js';
import type { MemberClaim } from '../group/sticky-assigner.js';

// The two messages that members of a group exchange through the broker, in the format of Kafka's consumer protocol (version 1 of
// ConsumerProtocolSubscription and ConsumerProtocolAssignment), so that Kafka's own tools show which member has which partition.
// The user data holds what only Millrace understands.

const VERSION = 1;

/** What a member sends when it joins. */
export interface Subscription extends Omit<MemberClaim, 'memberId'> {
  readonly topics: readonly string[];
}

/** Empty lists are left out, so without standbys the messages equal those of members without this feature. */
const unlessEmpty = (list: readonly number[]): readonly number[] | undefined => (list.length > 0 ? list : undefined);

export function encodeSubscription({ topics, standby, ready, paused, ...rest }: Subscription): Buffer {
  const said = { ...rest, standby: unlessEmpty(standby), ready: unlessEmpty(ready), paused: paused || undefined };
  const userData = Buffer.from(JSON.stringify(said));
  const noPartitions = int32(0); // owned ones are in the user data
  return Buffer.concat([
    int16(VERSION),
    int32(topics.length),
    ...topics.map(string),
    int32(userData.length),
    userData,
    noPartitions,
  ]);
}

/** The claim of a member; undefined if another client joined the group or the bytes cannot be read. */
export function decodeClaim(memberId: string, metadata: Buffer): MemberClaim {
  const none = { memberId, owned: [], generation: -1, standby: [], ready: [] };
  try {
    const reader = new Reader(metadata);
    reader.int16();
    for (let left = reader.int32(); left > 0; left--) reader.string();
    const said: unknown = JSON.parse(reader.bytes().toString());
    const {
      owned,
      generation,
      standby = [],
      ready = [],
      address,
      version,
      waits,
      paused,
    } = said as Partial<Record<keyof MemberClaim, unknown>>;
    if (typeof generation !== 'number') return none;
    if (!Array.isArray(owned) || !Array.isArray(standby) || !Array.isArray(ready)) return none;
    return {
      memberId,
      owned,
      generation,
      standby,
      ready,
      ...(typeof address === 'string' ? { address } : {}),
      ...(isVersion(version) ? { version } : {}),
      ...(waits === true ? { waits } : {}),
      ...(paused === true ? { paused } : {}),
    };
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) return none;
    throw error;
  }
}

/** A task is the partition of its number in every topic; everything else is in the user data. */
export function encodeAssignment(topics: readonly string[], { owned, standby, pending, ...rest }: Share): Buffer {
  const partitions = Buffer.concat([int32(owned.length), ...owned.map(int32)]);
  const more = JSON.stringify({ ...(standby.length > 0 ? { standby, pending } : {}), ...rest });
  const userData = Buffer.from(more === '{}' ? '' : more);
  return Buffer.concat([
    int16(VERSION),
    int32(topics.length),
    ...topics.flatMap((topic) => [string(topic), partitions]),
    int32(userData.length > 0 ? userData.length : -1),
    userData,
  ]);
}

/** The share of a member; empty if the bytes are empty, as for a member that the leader did not know. */
export function decodeAssignment(bytes: Buffer): Share {
  const nothing: Share = { owned: [], standby: [], pending: [] };
  if (bytes.length === 0) return nothing;
  const reader = new Reader(bytes);
  reader.int16();
  const topics = reader.int32();
  if (topics === 0) return nothing;
  let owned: number[] = [];
  for (let left = topics; left > 0; left--) {
    reader.string();
    owned = Array.from({ length: reader.int32() }, () => reader.int32());
  }
  const userData = reader.bytes().toString();
  return { ...nothing, owned, ...(userData === '' ? {} : (JSON.parse(userData) as Omit<Share, 'owned'>)) };
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
    const length = Math.max(0, this.int32());
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
}
