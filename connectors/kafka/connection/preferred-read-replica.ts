import type { Address } from './address.js';

/** A leader is asked anew which replica is closest after this long, as Java's consumer does. */
const CLOSEST_MS = 5 * 60_000;
/** A replica that failed is not gone back to before this time, although the leader may go on naming it. */
const LEADER_MS = 10_000;

/** Where to read a partition next. */
export interface ReadPlace {
  readonly address: Address;
  /** What the broker is told of this client's place; nothing where the leader itself is to answer. */
  readonly rack: string;
  readonly isLeader: boolean;
}

/**
 * The replica of a partition that is closest to this client (KIP-392): brokers that know racks answer a fetch at the leader
 * with the id of the replica to read. What fails there is tried at the leader: a follower may lack what the leader has.
 *
 * Without a rack it is always the leader.
 */
export class PreferredReadReplica {
  private closest: { readonly address: Address; readonly untilMs: number } | undefined;
  private leaderUntilMs = 0;

  constructor(
    private readonly rack: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  place(leader: Address): ReadPlace {
    const nowMs = this.now();
    if (this.closest && nowMs < this.closest.untilMs) {
      return { address: this.closest.address, rack: this.rack, isLeader: false };
    }
    this.closest = undefined;
    return { address: leader, rack: nowMs < this.leaderUntilMs ? '' : this.rack, isLeader: true };
  }

  /** The leader names the replica to read. */
  named(address: Address): void {
    this.closest = { address, untilMs: this.now() + CLOSEST_MS };
  }

  /** Reading there failed. */
  failed(): void {
    this.closest = undefined;
    this.leaderUntilMs = this.now() + LEADER_MS;
  }
}
