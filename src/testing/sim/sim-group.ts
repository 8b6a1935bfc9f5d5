import type { GroupMember, Membership } from '../../core/index.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import type { SimProcess } from './sim-process.js';
import type { VirtualTime } from './virtual-time.js';

/** A member that is silent for longer loses its tasks. */
const SESSION_TIMEOUT_MS = 600;

interface Joined {
  readonly process: SimProcess;
  readonly member: GroupMember;
  generation: number;
  hasLeft: boolean;
}

/**
 * A group that assigns tasks. Members get their assignments one by one and late, so two of them may believe for a while that they
 * own a task, and fencing must decide.
 */
export class SimGroup {
  private readonly joined = new Set<Joined>();
  private readonly ownerOf: (Joined | undefined)[];
  private generation = 0;

  constructor(
    private readonly partitions: number,
    private readonly time: VirtualTime,
    private readonly chaos: Chaos,
    private readonly random: Random,
  ) {
    this.ownerOf = new Array(partitions).fill(undefined);
  }

  /** Whether a process that died still counts as a member. */
  get hasDead(): boolean {
    return [...this.joined].some(({ process }) => !process.alive);
  }

  async join(process: SimProcess, member: GroupMember): Promise<Membership> {
    await process.reach('join');
    const joined: Joined = { process, member, generation: 0, hasLeft: false };
    this.joined.add(joined);
    this.deal();
    return {
      leave: async () => {
        await process.reach('leave');
        joined.hasLeft = true;
        if (this.joined.delete(joined)) this.deal();
      },
    };
  }

  /** Assigns the tasks: mostly to their owners, otherwise to any member. */
  deal(): void {
    const members = [...this.joined];
    if (members.length === 0) return;
    const generation = ++this.generation;
    for (let partition = 0; partition < this.partitions; partition++) {
      const owner = this.ownerOf[partition];
      if (!owner || !this.joined.has(owner) || this.random.chance(0.4))
        this.ownerOf[partition] = this.random.pick(members);
    }
    for (const joined of members) {
      const own = this.ownerOf.flatMap((owner, partition) => (owner === joined ? [partition] : []));
      this.chaos.tell(`group: ${joined.process.name} is to have [${own}]`);
      void this.tell(joined, generation, own, this.random.int(60));
    }
  }

  /** A process is suspended or dead: its tasks go to others unless it is back in time. */
  async watch(process: SimProcess): Promise<void> {
    await this.time.sleep(SESSION_TIMEOUT_MS);
    if (process.alive && !process.isPaused) return;
    for (const joined of [...this.joined]) {
      if (joined.process !== process) continue;
      this.joined.delete(joined);
      this.deal();
      if (process.alive) void this.rejoin(joined);
    }
  }

  private async rejoin(joined: Joined): Promise<void> {
    while (joined.process.isPaused) await this.time.sleep(joined.process.pausedUntilMs - this.time.nowMs);
    await this.time.sleep(this.random.int(100));
    if (!joined.process.alive || joined.hasLeft) return;
    this.joined.add(joined);
    this.deal();
  }

  private async tell(joined: Joined, generation: number, own: readonly number[], delayMs: number): Promise<void> {
    await this.time.sleep(delayMs);
    await joined.process.reach('assignment');
    if (generation < joined.generation || !this.joined.has(joined)) return;
    joined.generation = generation;
    joined.member.onAssigned(own);
  }
}
