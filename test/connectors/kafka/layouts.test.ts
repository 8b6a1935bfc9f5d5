import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newsOf, shareByLayout } from '../../../connectors/kafka/group/layouts.js';
import type { MemberClaim } from '../../../connectors/kafka/group/sticky-assigner.js';

const version = (layout: string, tasks = 4) => ({ hash: `hash-${layout}`, layout, tasks });
const claim = (memberId: string, layout: string, more: Partial<MemberClaim> = {}): MemberClaim => ({
  memberId,
  owned: [],
  generation: -1,
  standby: [],
  ready: [],
  version: version(layout),
  ...more,
});
const ownedBy = (claims: readonly MemberClaim[]) =>
  Object.fromEntries([...shareByLayout(claims, 4, 0)].map(([memberId, { owned }]) => [memberId, owned]));

it('leaves tasks with the layout that has them, whoever joins', () => {
  const old = claim('z', 'v1', { owned: [0, 1, 2, 3], generation: 3 });
  const fresh = claim('a', 'v2', { waits: true });
  expect(ownedBy([fresh, old])).toEqual({ z: [0, 1, 2, 3], a: [] });
  // The last one with tasks left, another of its layout is there.
  expect(ownedBy([fresh, claim('z', 'v1')])).toEqual({ z: [0, 1, 2, 3], a: [] });
  expect(ownedBy([fresh, claim('b', 'v2', { waits: true })])).toEqual({ a: [0, 1], b: [2, 3] });
});

it('believes the newest generation of owners', () => {
  const woken = claim('a', 'v1', { owned: [0, 1, 2, 3], generation: 3 });
  const owner = claim('b', 'v2', { owned: [0, 1, 2, 3], generation: 4 });
  expect(ownedBy([woken, owner])).toEqual({ a: [], b: [0, 1, 2, 3] });
});

it('holds processes apart that count other partitions, and gives as many tasks as those have that run', () => {
  const old = claim('a', 'v1', { owned: [0, 1], generation: 1, version: version('v1', 2) });
  expect(ownedBy([old, claim('b', 'v1')])).toEqual({ a: [0, 1], b: [] });
  expect(ownedBy([claim('stranger', 'v1', { version: undefined, waits: true }), old])).toEqual({
    a: [0, 1],
    stranger: [],
  });
});

it('tells all members that one that has tasks is paused', () => {
  const paused = { owned: [0, 1, 2, 3], generation: 1, paused: true };
  const saidTo = (claims: readonly MemberClaim[]) =>
    [...shareByLayout(claims, 4, 0).values()].map((share) => share.paused);
  expect(saidTo([claim('a', 'v1', paused), claim('b', 'v1')])).toEqual([true, true]);
  expect(saidTo([claim('a', 'v1', { ...paused, owned: [] }), claim('b', 'v1')])).toEqual([undefined, undefined]);
});

it('gives each task to one member, all of one layout, and tells all of them where there are several', () => {
  const member = fc.record({
    layout: fc.constantFrom('v1', 'v2', 'v3'),
    owned: fc.subarray([0, 1, 2, 3]),
    generation: fc.integer({ min: -1, max: 3 }),
    waits: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: 2 }),
      (members, standbys) => {
        const claims = members.map(({ layout, ...more }, index) => claim(`m${index}`, layout, more));
        const shares = shareByLayout(claims, 4, standbys);
        const given = claims.filter(({ memberId }) => (shares.get(memberId)?.owned.length ?? 0) > 0);
        expect(new Set(given.map(({ version: of }) => of?.layout)).size).toBe(1);
        expect([...shares.values()].flatMap(({ owned }) => owned).sort()).toEqual([0, 1, 2, 3]);
        const several = new Set(members.map(({ layout }) => layout)).size > 1;
        for (const { layouts } of shares.values())
          expect(layouts?.running.layout).toBe(several ? given[0]?.version?.layout : undefined);
        expect(shareByLayout([...claims].reverse(), 4, standbys)).toEqual(shares);
      },
    ),
  );
});

it('names both sides: a warning to who has the tasks and to who waits for them, an error to who may not have them', () => {
  const layouts = { running: version('v1'), held: true, others: [{ memberId: 'b', ...version('v2') }] };
  const [a, b] = [
    { memberId: 'a', ...version('v1') },
    { memberId: 'b', ...version('v2') },
  ];
  const of = (name: string) => `topology hash-${name} (layout ${name}, 4 tasks)`;
  expect(newsOf('g', a, false, layouts)).toContain(`group 'g' gives no tasks to b of ${of('v2')}`);
  expect(newsOf('g', b, true, layouts)).toContain('This process waits');
  expect(newsOf('g', b, false, layouts)).toMatchObject({
    code: 'config',
    permanent: true,
    message: `group 'g' gives no tasks to this process, b of ${of('v2')}: processes of ${of('v1')} have them`,
    hint: expect.stringContaining('--accept-plan hash-v2'),
  });
  // Nobody has tasks yet: whether a checkpoint fits is not known, so nobody is put out.
  expect(newsOf('g', b, false, { ...layouts, held: false })).toContain('This process waits');
  expect(newsOf('g', { ...b, ...version('v1', 6) }, false, layouts)).toContain('This process waits');
});

it('says whether a task is held: by one member is enough', () => {
  const waiting = claim('w', 'v2', { waits: true });
  const heldOf = (claims: readonly MemberClaim[]) => shareByLayout(claims, 4, 0).get('w')?.layouts?.held;
  expect(heldOf([claim('a', 'v1', { owned: [2], generation: 1 }), waiting])).toBe(true);
  expect(heldOf([claim('a', 'v1'), waiting])).toBe(false);
});

it('names eight of the members that wait, and no more', () => {
  const waiting = Array.from({ length: 10 }, (_, n) => claim(`w${n}`, 'v2', { waits: true }));
  const { layouts } = shareByLayout([claim('a', 'v1', { owned: [0], generation: 1 }), ...waiting], 4, 0).get('a') ?? {};
  expect(layouts?.others.map(({ memberId }) => memberId)).toEqual(waiting.slice(0, 8).map(({ memberId }) => memberId));
});
