/** What a member of the group runs. */
export interface MemberVersion {
  /** The hash of the whole topology. */
  readonly hash: string;
  /** The hash of its sources, stateful steps and versions of state. */
  readonly layout: string;
  /** The number of tasks of the inputs when it started. */
  readonly tasks: number;
}

/** What a member sends when it joins. */
export interface MemberClaim {
  readonly memberId: string;
  /** Tasks that it runs, with their state in memory. */
  readonly owned: readonly number[];
  /** The generation in which it got them. If two members claim a task, the newest generation counts. */
  readonly generation: number;
  /** Tasks of others whose changelogs it follows. */
  readonly standby: readonly number[];
  /** The tasks of `standby` that have caught up. */
  readonly ready: readonly number[];
  /** The address for state queries of its tasks. */
  readonly address?: string | undefined;
  /** Missing for a member that is not Millrace. */
  readonly version?: MemberVersion | undefined;
  /** It got no tasks because of its version, or its plan was accepted and it has no tasks yet. */
  readonly waits?: boolean | undefined;
  /** Its run is paused. */
  readonly paused?: boolean | undefined;
}

/**
 * Assigns tasks 0 to `tasks - 1` to members: their numbers differ by at most one, and as few tasks as possible move, since the
 * state of a moved task must be read again. A task without an owner goes to a member that is ready for it, if the numbers allow.
 *
 * The result depends on the arguments only, not on their order, so every member would compute the same. Takes O(tasks + members log
 * members).
 *
 * @example
 * const none = { standby: [], ready: [] };
 * stickyAssignment([{ memberId: 'a', owned: [0, 1, 2, 3], generation: 1, ...none }, { memberId: 'b', owned: [], generation: -1, ...none }], 4);
 * // Map { 'a' => [0, 1], 'b' => [2, 3] }
 */
export function stickyAssignment(members: readonly MemberClaim[], tasks: number): Map<string, number[]> {
  const held = heldTasks(members, tasks);
  // If the tasks cannot be divided evenly, members that own most keep one more.
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

/** The current owner of each task by the newest claim; by member, ascending. */
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
