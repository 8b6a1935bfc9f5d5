import { MillraceError } from '../../../src/core/errors.js';
import { code, hasCode } from '../protocol/broker-error.js';

/** The identity of a process in its group; every commit of offsets carries it. */
export interface MemberIdentity {
  readonly generation: number;
  readonly memberId: string;
}

/** What a lease needs of its membership. */
export interface Group {
  /** The identity of the newest assignment. */
  readonly identity: MemberIdentity;
  /** Resolves when the next assignment is known, or when there will be none. */
  nextAssignment(): Promise<void>;
}

/**
 * The right of this process to a task, from the assignment that gives it to the one that takes it away. A rebalance that keeps the
 * task here renews the identity. One that does not ends the lease for good, even if the task comes back.
 */
export class TaskLease {
  private over = false;

  constructor(
    private readonly group: Group,
    private readonly where: string,
  ) {}

  /** @throws MillraceError `fenced` once the task no longer belongs to this process. */
  get identity(): MemberIdentity {
    if (this.over) throw gone(this.where);
    return this.group.identity;
  }

  /** Waits for another identity than one that the coordinator refused. */
  async identityAfter(refused: MemberIdentity): Promise<MemberIdentity> {
    while (this.identity === refused) await this.group.nextAssignment();
    return this.identity;
  }

  end(): void {
    this.over = true;
  }
}

/**
 * Sends a request that needs the group's consent. If the generation has ended and the task stayed here, the request is repeated
 * under the new identity, in the same transaction.
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
    hint: 'tasks move when processes start and stop; nothing is lost',
  });
