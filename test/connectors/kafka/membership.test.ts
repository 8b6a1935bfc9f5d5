import { heartbeatV4, joinGroupV8, leaveGroupV5, ProtocolError, syncGroupV5 } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import { GroupMembership } from '../../../connectors/kafka/group/membership.js';
import { encodeAssignment } from '../../../connectors/kafka/protocol/membership-messages.js';

const TOPICS = ['clicks'];
const cluster = { linkOptions: {}, apiTimeoutMs: 1_000, coordinator: async () => ({ host: 'broker', port: 1 }) };

/** A coordinator that gives a member, which is not the leader, all tasks; `refuse` may refuse a request. */
function coordinated(refuse: (request: 'join' | 'sync' | 'beat' | 'leave', memberId: string) => string | undefined) {
  let generation = 0;
  const asked: string[] = [];
  const take = (request: Parameters<typeof refuse>[0], memberId: string): void => {
    asked.push(`${request} ${memberId}`.trim());
    const refusal = refuse(request, memberId);
    if (refusal) throw new ProtocolError(refusal);
  };
  vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async (
    _address: unknown,
    api: unknown,
    ...args: readonly unknown[]
  ) => {
    if (api === joinGroupV8.api) {
      const memberId = (args[3] as string) || `member-${generation + 1}`;
      take('join', args[3] as string);
      return { generationId: ++generation, memberId, leader: 'another', members: [] };
    }
    if (api === syncGroupV5.api) {
      take('sync', args[2] as string);
      return { assignment: encodeAssignment(TOPICS, { owned: [0, 1], standby: [], pending: [] }) };
    }
    if (api === heartbeatV4.api) take('beat', args[2] as string);
    if (api === leaveGroupV5.api) take('leave', (args[1] as { memberId: string }[])[0]?.memberId ?? '');
    return {};
  }) as never);
  const assigned: string[] = [];
  const failures: unknown[] = [];
  const membership = new GroupMembership(cluster as unknown as Cluster, {
    ...{ group: 'g', topics: TOPICS, tasks: 2, sessionTimeoutMs: 10_000, standbysMax: 0, address: undefined },
    version: { hash: 'h', layout: 'l', accepted: false },
    standbys: { ready: [], tasks: [], assign: () => undefined, status: () => [] } as never,
    onAssigned: (tasks) => assigned.push(tasks.join()),
    onJoined: () => undefined,
    onWarning: () => undefined,
    onFailed: (cause) => failures.push(cause),
  });
  return { membership, asked, assigned, failures };
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
});
