import { heldTasks, type MemberClaim, type MemberVersion, stickyAssignment } from './sticky-assigner.js';

/** The part of an assignment that says that members run different layouts. */
export interface GroupLayouts {
  /** The version of the members that get the tasks. */
  readonly running: MemberVersion;
  /** Whether one of them had tasks before. */
  readonly held: boolean;
  /** The other members, at most eight. */
  readonly others: readonly (MemberVersion & { readonly memberId: string })[];
}

/** The assignment of one member. */
export interface Share {
  readonly owned: readonly number[];
  /** Tasks of other members whose changelogs it follows. */
  readonly standby: readonly number[];
  /** The tasks of `standby` that it will own once it has caught up. */
  readonly pending: readonly number[];
  /** The address for state queries of each task's owner; null if unknown. */
  readonly addresses?: readonly (string | null)[] | undefined;
  /** Set if members run another layout than the one that has the tasks. */
  readonly layouts?: GroupLayouts | undefined;
  /** Whether a member that had tasks is paused. */
  readonly paused?: boolean | undefined;
}

/** By task, the address for state queries of its owner; `undefined` if no member gives one. */
export function addressesOf(
  members: readonly MemberClaim[],
  shares: ReadonlyMap<string, Share>,
  tasks: number,
): readonly (string | null)[] | undefined {
  if (members.every(({ address }) => address === undefined)) return undefined;
  const addresses = new Array<string | null>(tasks).fill(null);
  for (const { memberId, address = null } of members)
    for (const task of shares.get(memberId)?.owned ?? []) addresses[task] = address;
  return addresses;
}

/**
 * Assigns tasks, with `standbys` standbys each as far as there are members. A standby is never the task's owner, standbys stay with
 * their members, and they are spread evenly.
 *
 * Owners are assigned like by `stickyAssignment`. With standbys there is one exception: a task does not move to a member that would
 * have to read its state while another one is ready. It stays with its owner, or goes to a ready standby, until the intended member
 * has followed its changelog and joins again to say so.
 *
 * The result depends on the arguments only, not on their order. Takes O(tasks x standbys x members).
 *
 * @example
 * const a = { memberId: 'a', owned: [0, 1], generation: 1, standby: [], ready: [] };
 * const b = { memberId: 'b', owned: [], generation: -1, standby: [], ready: [] };
 * assignTasks([a, b], 2, 1).get('b'); // { owned: [], standby: [0, 1], pending: [1] }
 */
export function assignTasks(members: readonly MemberClaim[], tasks: number, standbys: number): Map<string, Share> {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const targets = stickyAssignment(ordered, tasks);
  if (standbys === 0) return mapOf(targets, (owned) => ({ owned, standby: [], pending: [] }));

  const targetOf = invert(targets);
  const holders = invert(heldTasks(ordered, tasks));
  const owned = new Map<string, number[]>(ordered.map(({ memberId }) => [memberId, []]));
  const isReady = (memberId: string, task: number) =>
    ordered.some((member) => member.memberId === memberId && member.ready.includes(task));
  const load = (memberId: string) => (owned.get(memberId) as number[]).length;
  for (let task = 0; task < tasks; task++) {
    const target = targetOf.get(task) as string;
    const holder = holders.get(task);
    const ready = ordered.filter((member) => member.ready.includes(task)).map(({ memberId }) => memberId);
    const stays = holder ?? least(ready, load) ?? target;
    (owned.get(isReady(target, task) ? target : stays) as number[]).push(task);
  }
  const ownerOf = invert(owned);
  const pending = mapOf(targets, (own, memberId) => own.filter((task) => ownerOf.get(task) !== memberId));
  const standby = shareStandbys(ordered, tasks, standbys, ownerOf, pending);
  return mapOf(owned, (own, memberId) => ({
    owned: own,
    standby: [...(standby.get(memberId) as Set<number>)].sort((a, b) => a - b),
    pending: pending.get(memberId) as number[],
  }));
}

/**
 * Assigns standbys: first to members that are to own the task, then to those that follow it already, then to those with the fewest.
 * Only then do members with too many give some away, if others can take them. So a repeated assignment changes nothing.
 */
function shareStandbys(
  members: readonly MemberClaim[],
  tasks: number,
  standbys: number,
  ownerOf: ReadonlyMap<number, string>,
  pending: ReadonlyMap<string, readonly number[]>,
): Map<string, Set<number>> {
  const followed = new Map(members.map(({ memberId }) => [memberId, new Set<number>(pending.get(memberId))]));
  const of = (memberId: string) => followed.get(memberId) as Set<number>;
  const each = Math.min(standbys, members.length - 1);
  const missing = new Map<number, number>();
  for (let task = 0; task < tasks; task++) {
    const begun = members.filter(({ memberId }) => of(memberId).has(task)).length;
    let left = each - begun;
    for (const { memberId, standby, ready } of members) {
      if (left <= 0) break;
      const follows = standby.includes(task) || ready.includes(task);
      if (!follows || ownerOf.get(task) === memberId || of(memberId).has(task)) continue;
      of(memberId).add(task);
      left--;
    }
    missing.set(task, left);
  }
  // Among equals, the member that follows the fewest tasks of this owner: if the owner dies, its tasks go to many members.
  const choose = (ids: readonly string[], task: number) => {
    const owner = ownerOf.get(task);
    const sameOwner = (id: string) => [...of(id)].filter((other) => ownerOf.get(other) === owner).length;
    return least(ids, (id) => of(id).size + sameOwner(id) / (tasks + 1));
  };
  const others = (task: number) =>
    members.map(({ memberId }) => memberId).filter((id) => id !== ownerOf.get(task) && !of(id).has(task));
  for (const [task, count] of missing) {
    for (let left = count; left > 0; left--) {
      const chosen = choose(others(task), task);
      if (chosen !== undefined) of(chosen).add(task);
    }
  }
  const most = Math.ceil((tasks * each) / members.length);
  for (const { memberId, standby, ready } of members) {
    const own = of(memberId);
    const isCold = (task: number) => !standby.includes(task) && !ready.includes(task);
    const kept = pending.get(memberId) ?? [];
    // Standbys that have not started yet are given away first: nothing was read for them.
    const movable = [...own].filter((task) => !kept.includes(task)).sort((a, b) => +isCold(b) - +isCold(a) || b - a);
    for (const task of movable) {
      if (own.size <= most) break;
      const chosen = choose(
        others(task).filter((id) => of(id).size < most),
        task,
      );
      if (chosen === undefined) continue;
      own.delete(task);
      of(chosen).add(task);
    }
  }
  return followed;
}

function invert(shares: ReadonlyMap<string, readonly number[]>): Map<number, string> {
  return new Map([...shares].flatMap(([memberId, tasks]) => tasks.map((task) => [task, memberId] as const)));
}

function mapOf<A, B>(from: ReadonlyMap<string, A>, to: (value: A, key: string) => B): Map<string, B> {
  return new Map([...from].map(([key, value]) => [key, to(value, key)]));
}

/** The first id for which `of` is lowest. */
function least(ids: readonly string[], of: (id: string) => number): string | undefined {
  return ids.reduce<string | undefined>((best, id) => (best === undefined || of(id) < of(best) ? id : best), undefined);
}
