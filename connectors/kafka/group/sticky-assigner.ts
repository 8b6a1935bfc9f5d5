/** What a member of the group runs. */
export interface MemberVersion {
  /** Of the whole topology. */
  readonly hash: string;
  /** Of its sources, stateful steps and versions of state. */
  readonly layout: string;
  /** How many tasks the inputs had when it started. */
  readonly tasks: number;
}

/** What a member of the group says when it joins. */
export interface MemberClaim {
  readonly memberId: string;
  /** Tasks that it runs, whose state it has in memory. */
  readonly owned: readonly number[];
  /** The generation in which it was given them; the newest is believed where two claim the same task. */
  readonly generation: number;
  /** Tasks of others whose changelogs it follows. */
  readonly standby: readonly number[];
  /** Those of them that it has read as far as there is anything to read. */
  readonly ready: readonly number[];
  /** Where it answers questions about its tasks. */
  readonly address?: string | undefined;
  /** What it runs; nothing of a member that is no Millrace. */
  readonly version?: MemberVersion | undefined;
  /** It was given no tasks because of its version, or its plan was accepted and it was not given any yet. */
  readonly waits?: boolean | undefined;
}

/**
 * Shares tasks 0 to `tasks - 1` out among members: nobody has two more than another, and as few tasks as possible move,
 * since a task that moves has its state read anew. A task without an owner goes to a member that is ready for it where
 * the shares allow.
 *
 * A function of its arguments alone, whatever their order: every member would decide the same. Takes
 * O(tasks + members log members).
 *
 * @example
 * const none = { standby: [], ready: [] };
 * stickyAssignment([{ memberId: 'a', owned: [0, 1, 2, 3], generation: 1, ...none }, { memberId: 'b', owned: [], generation: -1, ...none }], 4);
 * // Map { 'a' => [0, 1], 'b' => [2, 3] }
 */
export function stickyAssignment(members: readonly MemberClaim[], tasks: number): Map<string, number[]> {
  const held = heldTasks(members, tasks);
  // Those with most to keep may keep one more, where the tasks do not go round evenly.
  const byHeld = members
    .map(({ memberId }) => ({ memberId, tasks: held.get(memberId) ?? [] }))
    .sort((a, b) => b.tasks.length - a.tasks.length || (a.memberId < b.memberId ? -1 : 1));
  const least = Math.floor(tasks / members.length);
  const withOneMore = tasks % members.length;
  const assigned = new Map<string, number[]>();
  const taken = new Set<number>();
  byHeld.forEach(({ memberId, tasks: own }, rank) => {
    const kept = own.slice(0, rank < withOneMore ? least + 1 : least);
    for (const task of kept) taken.add(task);
    assigned.set(memberId, kept);
  });
  const readyFor = new Map(members.map(({ memberId, ready }) => [memberId, new Set(ready)]));
  const free = new Set(Array.from({ length: tasks }, (_, task) => task).filter((task) => !taken.has(task)));
  const take = (wanted: (memberId: string, task: number) => boolean) =>
    byHeld.forEach(({ memberId }, rank) => {
      const own = assigned.get(memberId) as number[];
      const share = rank < withOneMore ? least + 1 : least;
      for (const task of free) {
        if (own.length >= share) break;
        if (!wanted(memberId, task)) continue;
        own.push(task);
        free.delete(task);
      }
    });
  take((memberId, task) => readyFor.get(memberId)?.has(task) ?? false);
  take(() => true);
  for (const own of assigned.values()) own.sort((a, b) => a - b);
  return assigned;
}

/** Each task's present owner, the newest claim first; by member, in ascending order. */
export function heldTasks(members: readonly MemberClaim[], tasks: number): Map<string, number[]> {
  const owners = new Map<number, MemberClaim>();
  for (const member of members) {
    for (const task of member.owned) {
      if (!Number.isInteger(task) || task < 0 || task >= tasks) continue;
      const other = owners.get(task);
      if (!other || isBefore(member, other)) owners.set(task, member);
    }
  }
  const held = new Map<string, number[]>();
  for (const [task, { memberId }] of [...owners].sort(([a], [b]) => a - b)) {
    held.set(memberId, [...(held.get(memberId) ?? []), task]);
  }
  return held;
}

const isBefore = (a: MemberClaim, b: MemberClaim): boolean =>
  a.generation > b.generation || (a.generation === b.generation && a.memberId < b.memberId);
