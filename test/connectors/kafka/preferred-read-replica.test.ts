import { expect, it } from 'vitest';
import { PreferredReadReplica } from '../../../connectors/kafka/connection/preferred-read-replica.js';

const leader = { host: 'leader', port: 1 };
const near = { host: 'near', port: 2 };
let nowMs = 0;
const closest = (rack: string) => {
  nowMs = 1_000;
  return new PreferredReadReplica(rack, () => nowMs);
};

it('is the leader until that names another, and again after five minutes', () => {
  const replica = closest('a');
  expect(replica.targetOf(leader)).toEqual({ address: leader, rack: 'a', isLeader: true });
  replica.named(near);
  expect(replica.targetOf(leader)).toEqual({ address: near, rack: 'a', isLeader: false });
  nowMs += 5 * 60_000 - 1;
  expect(replica.targetOf(leader).address).toBe(near);
  nowMs += 1;
  expect(replica.targetOf(leader)).toEqual({ address: leader, rack: 'a', isLeader: true });
});

it('is the leader for a while after it failed, which is not asked for another meanwhile', () => {
  const replica = closest('a');
  replica.named(near);
  replica.failed();
  expect(replica.targetOf(leader)).toEqual({ address: leader, rack: '', isLeader: true });
  nowMs += 9_999;
  expect(replica.targetOf(leader).rack).toBe('');
  nowMs += 1;
  expect(replica.targetOf(leader).rack).toBe('a');
});

it('is always the leader without a rack', () => {
  expect(closest('').targetOf(leader)).toEqual({ address: leader, rack: '', isLeader: true });
});
