import { MillraceError } from '../../../src/core/errors.js';
import { code, hasCode } from '../protocol/broker-error.js';

/** What the group's coordinator knows a process by: every commit of offsets carries it. */
export interface MemberIdentity {
  readonly generation: number;
  readonly memberId: string;
}

/** What a lease needs of the membership it belongs to. */
export interface Group {
  /** As of the newest assignment. */
  readonly identity: MemberIdentity;
  /** Resolves when the next assignment is known, or that there will be none. */
  nextAssignment(): Promise<void>;
}

/**
 * A task in the hands of this process, from the assignment that brought it to the one that takes it away. A rebalance
 * that leaves it here renews the identity; one that does not ends the lease for good, even if the task comes back.
 */
export class TaskLease {
  private over = false;

  constructor(
    private readonly group: Group,
    private readonly where: string,
  ) {}

  /** @throws MillraceError `fenced` once the task is not this process's any more. */
  get identity(): MemberIdentity {
    if (this.over) throw gone(this.where);
    return this.group.identity;
  }

  /** Waits for an identity other than one that the coordinator refused. */
  async identityAfter(refused: MemberIdentity): Promise<MemberIdentity> {
    while (this.identity === refused) await this.group.nextAssignment();
    return this.identity;
  }

  end(): void {
    this.over = true;
  }
}

/**
 * Does what needs the group's consent. A generation that is over refuses it; where the task stayed here over the
 * rebalance it is asked for again under the new one, in the same transaction.
 */
export async function duringLease(lease: TaskLease, ask: (as: MemberIdentity) => Promise<unknown>): Promise<void> {
  for (let identity = lease.identity; ; ) {
    try {
      await ask(identity);
      return;
    } catch (error) {
      if (!hasCode(error, code.illegalGeneration, code.unknownMemberId, code.rebalanceInProgress)) throw error;
      identity = await lease.identityAfter(identity);
    }
  }
}

export const gone = (where: string): MillraceError =>
  new MillraceError('fenced', 'the group gave the task to another process', {
    where,
    hint: 'that is how tasks move when processes come and go; nothing is lost',
  });
