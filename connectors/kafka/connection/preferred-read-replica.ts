import type { Address } from './address.js';

/** How often the leader is asked for the closest replica, as in Java's consumer. */
const CLOSEST_MS = 5 * 60_000;
/** How long a failed replica is not used again, although the leader may still name it. */
const LEADER_MS = 10_000;

/** Where to read a partition next. */
export interface ReadTarget {
  readonly address: Address;
  /** The rack to send to the broker; empty if the leader itself is to answer. */
  readonly rack: string;
  readonly isLeader: boolean;
}

/**
 * The replica of a partition that is closest to this client (KIP-392). If brokers know racks, the leader answers a fetch with the
 * id of the replica to read. After a failure there the leader is used, because a follower may lack records that the leader has.
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

  targetOf(leader: Address): ReadTarget {
    const nowMs = this.now();
    if (this.closest && nowMs < this.closest.untilMs) {
      return { address: this.closest.address, rack: this.rack, isLeader: false };
    }
    this.closest = undefined;
    return { address: leader, rack: nowMs < this.leaderUntilMs ? '' : this.rack, isLeader: true };
  }

  /** The leader named the replica to read. */
  named(address: Address): void {
    this.closest = { address, untilMs: this.now() + CLOSEST_MS };
  }

  /** Reading there failed. */
  failed(): void {
    this.closest = undefined;
    this.leaderUntilMs = this.now() + LEADER_MS;
  }
}
