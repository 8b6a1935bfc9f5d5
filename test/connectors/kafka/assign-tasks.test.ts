import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressesOf, assignTasks, type Share } from '../../../connectors/kafka/group/assign-tasks.js';
import { type MemberClaim, stickyAssignment } from '../../../connectors/kafka/group/sticky-assigner.js';

const claims = fc.uniqueArray(
  fc.record({
    memberId: fc.stringMatching(/^[a-z]{1,6}$/),
    owned: fc.uniqueArray(fc.integer({ min: -2, max: 25 }), { maxLength: 20 }),
    generation: fc.integer({ min: -1, max: 3 }),
    standby: fc.uniqueArray(fc.integer({ min: -2, max: 25 }), { maxLength: 20 }),
    ready: fc.uniqueArray(fc.integer({ min: -2, max: 25 }), { maxLength: 20 }),
  }),
  { minLength: 1, maxLength: 7, selector: ({ memberId }) => memberId },
);
const tasks = fc.integer({ min: 0, max: 20 });
const standbys = fc.integer({ min: 1, max: 3 });

/** What members say when they have done as they were told; `ready` are the tasks that they have read by then. */
const answers = (
  shares: ReadonlyMap<string, Share>,
  generation: number,
  ready: (share: Share) => readonly number[] = ({ standby }) => standby,
): MemberClaim[] =>
  [...shares].map(([memberId, share]) => ({
    memberId,
    owned: share.owned,
    standby: share.standby,
    generation,
    ready: ready(share),
  }));

/** Goes on until nobody is to get what it is ready for. */
function settled(members: readonly MemberClaim[], count: number, each: number): Map<string, Share> {
  let shares = assignTasks(members, count, each);
  for (let round = 0; [...shares.values()].some(({ pending }) => pending.length > 0); round++) {
    expect(round).toBeLessThan(5);
    shares = assignTasks(answers(shares, 10 + round), count, each);
  }
  return shares;
}

const spread = (sizes: readonly number[]) => Math.max(...sizes) - Math.min(...sizes);

describe('assignTasks', () => {
  it('gives every task one owner and its standbys, never on the owner, whatever is claimed', () => {
    fc.assert(
      fc.property(claims, tasks, standbys, (members, count, each) => {
        const shares = assignTasks(members, count, each);
        const all = [...shares.values()];
        expect(all.flatMap(({ owned }) => owned).sort((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, i) => i),
        );
        for (const { owned, standby, pending } of all) {
          expect(standby.filter((task) => owned.includes(task))).toEqual([]);
          expect(pending.every((task) => standby.includes(task))).toBe(true);
          expect(new Set(standby).size).toBe(standby.length);
        }
        for (let task = 0; task < count; task++) {
          const followed = all.filter(({ standby }) => standby.includes(task)).length;
          expect(followed).toBe(Math.min(each, members.length - 1));
        }
      }),
    );
  });

  it('without standbys is the sticky assignment', () => {
    fc.assert(
      fc.property(claims, tasks, (members, count) => {
        const owned = [...assignTasks(members, count, 0)].map(([memberId, share]) => [memberId, share.owned] as const);
        expect(Object.fromEntries(owned)).toEqual(Object.fromEntries(stickyAssignment(members, count)));
      }),
    );
  });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(claims, tasks, standbys, (members, count, each) => {
        const turned = assignTasks([...members].reverse(), count, each);
        expect(Object.fromEntries(turned)).toEqual(Object.fromEntries(assignTasks(members, count, each)));
      }),
    );
  });

  it('takes no task from its owner for a member that is not ready, and moves what it must once it is', () => {
    fc.assert(
      fc.property(claims, tasks, standbys, fc.integer({ min: 1, max: 3 }), (members, count, each, come) => {
        const before = settled(members, count, each);
        const joined = Array.from({ length: come }, (_, i) => ({
          memberId: `Z${i}`,
          owned: [],
          generation: -1,
          standby: [],
          ready: [],
        }));
        const first = assignTasks([...answers(before, 20), ...joined], count, each);
        for (const [memberId, { owned }] of before) expect(first.get(memberId)?.owned).toEqual(owned);
        const last = settled([...answers(before, 20), ...joined], count, each);
        expect(spread([...last.values()].map(({ owned }) => owned.length))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('changes nothing while nobody comes or goes, and shares the standbys out evenly', () => {
    fc.assert(
      fc.property(claims, tasks, standbys, (members, count, each) => {
        const shares = settled(members, count, each);
        expect(Object.fromEntries(assignTasks(answers(shares, 20), count, each))).toEqual(Object.fromEntries(shares));
        const most = Math.ceil((count * Math.min(each, members.length - 1)) / members.length);
        for (const { standby } of shares.values()) expect(standby.length).toBeLessThanOrEqual(most + 1);
      }),
      { numRuns: 1_000 },
    );
  });

  it('lets who follows too many give some to those who may have them', () => {
    const from = (memberId: string, owned: number[], standby: number[], ready: number[]) => ({
      memberId,
      owned,
      generation: 1,
      standby,
      ready,
    });
    const members = [
      from('a', [0, 1], [2], [2]),
      from('b', [2, 3], [0, 1, 4, 5], [0, 1, 4]),
      from('c', [4, 5], [3], [3]),
    ];
    const shares = assignTasks(members, 6, 1);
    expect(shares.get('b')?.standby).toEqual([0, 4]);
    expect(shares.get('a')?.standby).toEqual([2, 5]);
    expect([...shares.values()].map(({ standby }) => standby.length)).toEqual([2, 2, 2]);
  });

  it('gives the tasks of one that died to those that stand by', () => {
    fc.assert(
      fc.property(claims, tasks, standbys, fc.nat(), (members, count, each, who) => {
        fc.pre(members.length > 1);
        const before = settled(members, count, each);
        const dead = [...before.keys()][who % before.size] as string;
        const left = answers(before, 20).filter(({ memberId }) => memberId !== dead);
        const now = assignTasks(left, count, each);
        for (const task of before.get(dead)?.owned ?? []) {
          const [heir] = [...now].find(([, { owned }]) => owned.includes(task)) as [string, Share];
          expect(before.get(heir)?.standby, `task ${task}`).toContain(task);
        }
        for (const { memberId, owned } of left)
          expect(now.get(memberId)?.owned).toEqual(expect.arrayContaining([...owned]));
      }),
    );
  });

  it('lets a cold member have a task where nobody is ready for it: somebody must', () => {
    const a = { memberId: 'a', owned: [0, 1], generation: 1, standby: [2], ready: [] };
    expect(assignTasks([a], 4, 1).get('a')?.owned).toEqual([0, 1, 2, 3]);
  });
});

it('the addresses of owners are by task, and none where no member has one', () => {
  const claim = (memberId: string, address?: string): MemberClaim => ({
    ...{ memberId, owned: [], standby: [], generation: -1, ready: [] },
    ...(address === undefined ? {} : { address }),
  });
  const share = (owned: readonly number[]): Share => ({ owned, standby: [], pending: [] });
  const shares = new Map([
    ['a', share([0, 2])],
    ['b', share([1])],
  ]);
  expect(addressesOf([claim('a', 'host:1'), claim('b')], shares, 4)).toEqual(['host:1', null, 'host:1', null]);
  expect(addressesOf([claim('a'), claim('b')], shares, 4)).toBeUndefined();
  expect(addressesOf([claim('c', 'host:3')], shares, 1)).toEqual([null]);
});
