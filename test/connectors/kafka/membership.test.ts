import {
  heartbeatV4,
  joinGroupV8,
  leaveGroupV5,
  NetworkError,
  ProtocolError,
  ResponseError,
  syncGroupV5,
} from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import type { Share } from '../../../connectors/kafka/group/assign-tasks.js';
import { GroupMembership, removeGroupMember } from '../../../connectors/kafka/group/membership.js';
import {
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeSubscription,
} from '../../../connectors/kafka/protocol/membership-messages.js';

const TOPICS = ['clicks'];
const cluster = {
  linkOptions: {},
  get apiTimeoutMs() {
    return 1_000;
  },
  coordinator: async () => ({ host: 'broker', port: 1 }),
};

type Refuse = (request: 'join' | 'sync' | 'beat' | 'leave', memberId: string) => string | Error | undefined;
interface World {
  /** What the leader has assigned, anew at each rebalance; all tasks by default. */
  readonly share?: () => Share;
  /** The members that the coordinator tells this one, which then is the leader. */
  readonly members?: () => joinGroupV8.JoinGroupResponse['members'];
  readonly ready?: readonly number[];
  readonly accepted?: boolean;
}

/** A coordinator that gives a member, which is not the leader, all tasks; `refuse` may refuse a request. */
function coordinated(refuse: Refuse, { share, members, ready = [], accepted = false }: World = {}) {
  let generation = 0;
  const assignments: syncGroupV5.SyncGroupRequestAssignment[][] = [];
  const claims: ReturnType<typeof decodeClaim>[] = [];
  const warnings: string[] = [];
  const joined: string[] = [];
  const standby: (readonly [readonly number[], readonly number[]])[] = [];
  const asked: string[] = [];
  const take = (request: Parameters<typeof refuse>[0], memberId: string): void => {
    asked.push(`${request} ${memberId}`.trim());
    const refusal = refuse(request, memberId);
    if (refusal) throw refusal instanceof Error ? refusal : new ProtocolError(refusal);
  };
  vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async (
    _address: unknown,
    api: unknown,
    ...args: readonly unknown[]
  ) => {
    if (api === joinGroupV8.api) {
      const memberId = (args[3] as string) || `member-${generation + 1}`;
      take('join', args[3] as string);
      claims.push(decodeClaim(memberId, (args[6] as { metadata: Buffer }[])[0]?.metadata as Buffer));
      const leader = members === undefined ? 'another' : memberId;
      return { generationId: ++generation, memberId, leader, members: members?.() ?? [] };
    }
    if (api === syncGroupV5.api) {
      take('sync', args[2] as string);
      assignments.push(args[6] as syncGroupV5.SyncGroupRequestAssignment[]);
      return { assignment: encodeAssignment(TOPICS, share?.() ?? { owned: [0, 1], standby: [], pending: [] }) };
    }
    if (api === heartbeatV4.api) take('beat', args[2] as string);
    if (api === leaveGroupV5.api) take('leave', (args[1] as { memberId: string }[])[0]?.memberId ?? '');
    return {};
  }) as never);
  const assigned: string[] = [];
  const failures: unknown[] = [];
  const membership = new GroupMembership(cluster as unknown as Cluster, {
    ...{ group: 'g', topics: TOPICS, tasks: 2, sessionTimeoutMs: 10_000, standbysMax: 0, address: undefined },
    version: { hash: 'h', layout: 'l', accepted },
    standbys: {
      ...{ ready, tasks: [5], status: () => [] },
      assign: (...given: (typeof standby)[number]) => standby.push(given),
    } as never,
    onAssigned: (tasks) => assigned.push(tasks.join()),
    onJoined: (memberId) => joined.push(memberId),
    onWarning: (message) => warnings.push(message),
    onFailed: (cause) => failures.push(cause),
  });
  return { membership, asked, assigned, failures, assignments, claims, warnings, joined, standby };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('GroupMembership', () => {
  it('joins, says four times a second that it is there, and leaves', async () => {
    const { membership, asked, assigned } = coordinated(() => undefined);
    await membership.join();
    expect(assigned).toEqual(['0,1']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual(['join', 'sync member-1', ...Array.from({ length: 4 }, () => 'beat member-1')]);
    await membership.leave();
    expect(asked.at(-1)).toBe('leave member-1');
    expect(assigned).toEqual(['0,1']);
  });

  it('keeps its name where its generation is over, and its tasks end', async () => {
    const refusals = ['ILLEGAL_GENERATION'];
    const { membership, asked, assigned, failures } = coordinated((request) =>
      request === 'sync' && asked.length > 3
        ? refusals.pop()
        : request === 'beat' && asked.length === 3
          ? 'REBALANCE_IN_PROGRESS'
          : undefined,
    );
    await membership.join();
    await vi.advanceTimersByTimeAsync(250);
    expect(asked.slice(2)).toEqual([
      'beat member-1',
      'join member-1',
      'sync member-1',
      'join member-1',
      'sync member-1',
    ]);
    expect(assigned).toEqual(['0,1', '', '0,1']);
    expect(failures).toEqual([]);
    await membership.leave();
  });

  it('asks for a new name where the group has forgotten it', async () => {
    const { membership, asked, assigned } = coordinated((request, memberId) =>
      request === 'beat' && memberId === 'member-1' ? 'UNKNOWN_MEMBER_ID' : undefined,
    );
    await membership.join();
    await vi.advanceTimersByTimeAsync(250);
    expect(asked.slice(2)).toEqual(['beat member-1', 'join', 'sync member-2']);
    expect(assigned).toEqual(['0,1', '', '0,1']);
    await membership.leave();
  });

  it('fails where it may not be in the group', async () => {
    const { membership, failures, assigned } = coordinated((request) =>
      request === 'beat' ? 'GROUP_AUTHORIZATION_FAILED' : undefined,
    );
    await membership.join();
    await vi.advanceTimersByTimeAsync(250);
    expect(failures).toMatchObject([{ code: 'state', message: expect.stringContaining("cannot stay in group 'g'") }]);
    expect(assigned.at(-1)).toBe('');
    await membership.leave();
  });

  it('gives the right to a task as long as it has the task', async () => {
    const shares: Share[] = [[0, 1], [1]].map((owned) => ({ owned, standby: [], pending: [] }));
    let beats = 0;
    const { membership, assigned } = coordinated(
      (request) => (request === 'beat' && ++beats === 2 ? 'REBALANCE_IN_PROGRESS' : undefined),
      { share: () => shares.shift() as Share },
    );
    await membership.join();
    await vi.advanceTimersByTimeAsync(1);
    const claiming = Promise.all([membership.claim(0), membership.claim(1)]);
    await vi.advanceTimersByTimeAsync(0); // it asks at once, and not after a heartbeat's interval
    const [lost, kept] = await claiming;
    const { identity } = kept;
    expect(lost.identity).toBe(identity);
    await vi.advanceTimersByTimeAsync(250);
    expect(assigned).toEqual(['0,1', '1']);
    expect(() => lost.identity).toThrow(expect.objectContaining({ code: 'fenced', where: 'g.0' }));
    expect(kept.identity).toEqual({ generation: 2, memberId: 'member-1' });
    await expect(membership.claim(0)).rejects.toMatchObject({ code: 'fenced', where: 'g.0' });
    const again = membership.claim(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(await again).toBe(kept);
    await membership.leave();
    expect(() => kept.identity).toThrow(expect.objectContaining({ code: 'fenced' }));
  });

  it('asks the coordinator before a task is opened: another process may have it meanwhile', async () => {
    const shares: Share[] = [[0, 1], []].map((owned) => ({ owned, standby: [], pending: [] }));
    const { membership, asked } = coordinated((request) => (request === 'beat' ? 'UNKNOWN_MEMBER_ID' : undefined), {
      share: () => shares.shift() ?? { owned: [], standby: [], pending: [] },
    });
    await membership.join();
    await vi.advanceTimersByTimeAsync(1);
    const claiming = membership.claim(0).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(2, 3)).toEqual(['beat member-1']);
    await vi.advanceTimersByTimeAsync(250);
    expect(await claiming).toMatchObject({ code: 'fenced' });
    await membership.leave();
  });

  it('says what it has and follows, and joins again for a pending task once it is ready', async () => {
    const share: Share = { owned: [0], standby: [1], pending: [1], addresses: [null, 'host:1'] };
    for (const ready of [[], [1]]) {
      const { membership, asked, claims, standby, joined } = coordinated(() => undefined, {
        share: () => share,
        ready,
      });
      await membership.join();
      expect(claims[0]).toMatchObject({ owned: [], generation: -1, standby: [5], ready });
      expect(claims[0]).not.toHaveProperty('waits');
      expect([standby, joined]).toEqual([[[[1], [0]]], ['member-1']]);
      expect([membership.addressOf(0), membership.addressOf(1), membership.addressOf(2)]).toEqual([
        undefined,
        'host:1',
        undefined,
      ]);
      await vi.advanceTimersByTimeAsync(250);
      expect(asked.filter((each) => each.startsWith('join'))).toHaveLength(ready.length + 1);
      if (ready.length > 0) expect(claims[1]).toMatchObject({ owned: [0], generation: 1 });
      await membership.leave();
    }
  });

  it('assigns the tasks where it leads', async () => {
    const version = { hash: 'h', layout: 'l', tasks: 2 };
    const claim = {
      topics: TOPICS,
      owned: [],
      generation: -1,
      standby: [],
      ready: [],
      address: undefined,
      version,
      waits: false,
    };
    const metadata = encodeSubscription(claim);
    const { membership, assignments } = coordinated(() => undefined, {
      members: () =>
        ['member-1', 'member-2'].map((memberId) => ({ memberId, groupInstanceId: null, metadata })) as never,
    });
    await membership.join();
    const given = assignments[0]?.map(({ memberId, assignment }) => [
      memberId,
      decodeAssignment(assignment as Buffer).owned,
    ]);
    expect(given?.map(([memberId]) => memberId).sort()).toEqual(['member-1', 'member-2']);
    expect(given?.flatMap(([, owned]) => owned as number[]).sort()).toEqual([0, 1]);
    await membership.leave();
  });

  const others = (layout: string, held = true): Share => ({
    ...{ owned: [], standby: [], pending: [] },
    layouts: {
      running: { hash: 'other', layout, tasks: 2 },
      held,
      others: [{ memberId: 'x', hash: 'h', layout: 'l', tasks: 2 }],
    },
  });

  it('tells once of a layout that has the tasks, where it may wait for them', async () => {
    let beats = 0;
    const { membership, warnings, claims, failures } = coordinated(
      (request) => (request === 'beat' && ++beats < 3 ? 'REBALANCE_IN_PROGRESS' : undefined),
      { share: () => others('theirs'), accepted: true },
    );
    await membership.join();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(claims.map(({ waits }) => waits)).toEqual([true, true, true]);
    expect(warnings).toEqual([expect.stringContaining('This process waits')]);
    expect(failures).toEqual([]);
    await membership.leave();
  });

  it('goes where another layout has the tasks, after the others have heard of it', async () => {
    const { membership, asked } = coordinated(() => undefined, { share: () => others('theirs') });
    let failure: unknown;
    const joining = membership.join().catch((error: unknown) => {
      failure = error;
    });
    await vi.advanceTimersByTimeAsync(499);
    expect([failure, asked.at(-1)]).toEqual([undefined, 'sync member-1']);
    await vi.advanceTimersByTimeAsync(1);
    await joining;
    expect(failure).toMatchObject({ code: 'config', permanent: true, where: 'g' });
    expect(asked.at(-1)).toBe('leave member-1');
  });

  it('takes the name that the coordinator gives it', async () => {
    const { membership, asked } = coordinated((request, memberId) =>
      request === 'join' && memberId === ''
        ? new ResponseError(11, 8, { '/': [79, null] }, { memberId: 'given' })
        : undefined,
    );
    await membership.join();
    expect(asked).toEqual(['join', 'join given', 'sync given']);
    await membership.leave();
  });

  it('outlasts ten times that the coordinator cannot be reached for, and no more', async () => {
    for (const [outages, outcome] of [
      [9, undefined],
      [10, { code: 'state' }],
    ] as const) {
      let left: number = outages;
      const { membership, failures } = coordinated((request) =>
        request === 'beat' && left-- > 0 ? new NetworkError('gone') : undefined,
      );
      vi.spyOn(cluster, 'apiTimeoutMs', 'get').mockReturnValue(0);
      await membership.join();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(failures).toEqual(outcome === undefined ? [] : [expect.objectContaining(outcome)]);
      await membership.leave();
      vi.restoreAllMocks();
    }
  });
});

describe('a member that is dead', () => {
  const put = (error?: Error) => {
    coordinated(() => error);
    return removeGroupMember(cluster as unknown as Cluster, 'g', 'dead');
  };

  it('is put out, also where the group has forgotten it', async () => {
    await put();
    await put(new ProtocolError('UNKNOWN_MEMBER_ID'));
    await expect(put(new ProtocolError('GROUP_AUTHORIZATION_FAILED'))).rejects.toMatchObject({ code: 'state' });
  });
});
