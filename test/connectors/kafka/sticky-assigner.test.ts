import fc from 'fast-check';
import { AssignerProtocol } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { type MemberClaim, stickyAssignment } from '../../../connectors/kafka/group/sticky-assigner.js';
import {
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeSubscription,
} from '../../../connectors/kafka/protocol/membership-messages.js';

/** Of a member that follows nothing. */
const nothing = { standby: [], ready: [] } as const;

const tasks = fc.integer({ min: 0, max: 40 });
const claims = fc.uniqueArray(
  fc.record({
    memberId: fc.stringMatching(/^[a-z]{1,6}$/),
    owned: fc.uniqueArray(fc.integer({ min: -2, max: 45 }), { maxLength: 30 }),
    generation: fc.integer({ min: -1, max: 3 }),
    standby: fc.constant([]),
    ready: fc.constant([]),
  }),
  { minLength: 1, maxLength: 8, selector: ({ memberId }) => memberId },
);

/** What members say after they were given tasks. */
const asOwned = (assigned: ReadonlyMap<string, readonly number[]>, generation: number): MemberClaim[] =>
  [...assigned].map(([memberId, owned]) => ({ memberId, owned, generation, ...nothing }));

const sizes = (assigned: ReadonlyMap<string, readonly number[]>) => [...assigned.values()].map(({ length }) => length);

/** Pairs of a task and the member that has it in both. */
const kept = (before: ReadonlyMap<string, readonly number[]>, after: ReadonlyMap<string, readonly number[]>): number =>
  [...after].reduce((sum, [id, own]) => sum + own.filter((task) => before.get(id)?.includes(task)).length, 0);

describe('stickyAssignment', () => {
  it('gives every task to one member, and nobody two more than another, whatever is claimed', () => {
    fc.assert(
      fc.property(claims, tasks, (members, count) => {
        const assigned = stickyAssignment(members, count);
        expect([...assigned.keys()].sort()).toEqual(members.map(({ memberId }) => memberId).sort());
        expect([...assigned.values()].flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(Math.max(...sizes(assigned)) - Math.min(...sizes(assigned))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('does not depend on the order of members or of what they own', () => {
    fc.assert(
      fc.property(claims, tasks, fc.integer(), (members, count, seed) => {
        const turned = members.map((member, at) => ({ ...member, owned: [...member.owned].reverse(), at }));
        const other = turned.sort((a, b) => ((a.at * 7 + seed) % 5) - ((b.at * 7 + seed) % 5));
        expect(Object.fromEntries(stickyAssignment(other, count))).toEqual(
          Object.fromEntries(stickyAssignment(members, count)),
        );
      }),
    );
  });

  it('changes nothing while nobody comes or goes', () => {
    fc.assert(
      fc.property(claims, tasks, (members, count) => {
        const assigned = stickyAssignment(members, count);
        expect(stickyAssignment(asOwned(assigned, 4), count)).toEqual(assigned);
      }),
    );
  });

  it('moves no more tasks than it must when members come and go', () => {
    fc.assert(
      fc.property(
        claims,
        tasks,
        fc.integer({ min: 0, max: 7 }),
        fc.integer({ min: 0, max: 4 }),
        (members, count, gone, come) => {
          const before = stickyAssignment(members, count);
          const left = asOwned(before, 4).slice(gone % members.length);
          const joined = Array.from({ length: come }, (_, i) => ({
            memberId: `Z${i}`,
            owned: [],
            generation: -1,
            ...nothing,
          }));
          const after = stickyAssignment([...left, ...joined], count);
          // The most that can stay: everybody keeps up to the share it gets, the larger shares with those who own most.
          const share = sizes(after).sort((a, b) => b - a);
          const owned = [...left, ...joined].map((member) => member.owned.length).sort((a, b) => b - a);
          const most = owned.reduce((sum, own, rank) => sum + Math.min(own, share[rank] ?? 0), 0);
          expect(kept(before, after)).toBe(most);
        },
      ),
    );
  });

  it('gives a task without an owner to a member that is ready for it, where the shares allow', () => {
    const a = { memberId: 'a', owned: [0], generation: 1, ...nothing };
    const b = { memberId: 'b', owned: [1], generation: 1, standby: [2, 5], ready: [2, 5] };
    const c = { memberId: 'c', owned: [], generation: -1, ...nothing };
    const assigned = stickyAssignment([a, b, c], 6);
    expect(assigned.get('b')).toEqual([1, 2]);
    expect(assigned.get('a')).toHaveLength(2);
  });

  it('believes the newest claim where two have the same task', () => {
    const zombie = { memberId: 'a', owned: [0, 1], generation: 2, ...nothing };
    const owner = { memberId: 'b', owned: [0, 1], generation: 3, ...nothing };
    expect(stickyAssignment([zombie, owner], 4)).toEqual(
      new Map([
        ['b', [0, 1]],
        ['a', [2, 3]],
      ]),
    );
  });
});

describe('messages between members', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1 })),
        fc.array(fc.nat({ max: 1_000 })),
        fc.nat(),
        fc.array(fc.nat({ max: 1_000 })),
        (topics, owned, generation, standby) => {
          const version =
            generation % 2 === 0 ? { version: { hash: 'h', layout: 'l', tasks: 3 }, waits: true, paused: true } : {};
          const claim = { owned, generation, standby, ready: standby.slice(1), ...version };
          expect(decodeClaim('m', encodeSubscription({ topics, ...claim }))).toEqual({ memberId: 'm', ...claim });
          const share = { owned, standby, pending: standby.slice(2), ...(generation % 2 === 0 && { paused: true }) };
          if (topics.length > 0) expect(decodeAssignment(encodeAssignment(topics, share))).toEqual(share);
        },
      ),
    );
  });

  it('are those of the consumer protocol, as another client reads them', () => {
    const topics = ['clicks', 'outcomes'];
    const said = AssignerProtocol.MemberMetadata.decode(
      encodeSubscription({ topics, owned: [2], generation: 7, ...nothing }),
    );
    expect(said).toMatchObject({ topics, userData: Buffer.from('{"owned":[2],"generation":7}') });
    const assigned = AssignerProtocol.MemberAssignment.decode(
      encodeAssignment(topics, { owned: [1, 4], standby: [2], pending: [] }),
    );
    expect(assigned?.assignment).toEqual({ clicks: [1, 4], outcomes: [1, 4] });
  });

  it('of strangers claim nothing, and an empty assignment is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(decodeClaim('m', Buffer.from(bytes)).owned).toEqual([]);
      }),
    );
    const other = AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics: ['t'],
      userData: Buffer.from('rack-1'),
    });
    expect(decodeClaim('m', other)).toEqual({ memberId: 'm', owned: [], generation: -1, ...nothing });
    const none = { owned: [], standby: [], pending: [] };
    expect(decodeAssignment(Buffer.alloc(0))).toEqual(none);
    expect(decodeAssignment(encodeAssignment([], { ...none, owned: [1] }))).toEqual(none);
  });
});
