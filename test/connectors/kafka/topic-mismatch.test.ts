import { describe, expect, it } from 'vitest';
import { type ActualTopic, compareTopic, type DeclaredTopic } from '../../../connectors/kafka/topic-mismatch.js';

const actual: ActualTopic = {
  partitions: 4,
  replication: 3,
  configs: new Map([
    ['retention.ms', '604800000'],
    ['cleanup.policy', 'compact,delete'],
    ['unclean.leader.election.enable', 'false'],
  ]),
};
const compare = (declared: Omit<DeclaredTopic, 'topic'>) => compareTopic({ topic: 'out', ...declared }, actual);
const brief = (declared: Omit<DeclaredTopic, 'topic'>) =>
  compare(declared).map((each) => [each.setting, each.declared, each.actual, each.refused]);

describe('compareTopic', () => {
  it('finds nothing where nothing is declared, or all of it is so', () => {
    expect(compare({})).toEqual([]);
    const configs = {
      'retention.ms': 604_800_000,
      'cleanup.policy': 'delete, compact',
      'unclean.leader.election.enable': false,
    };
    expect(compare({ partitions: 4, replication: 3, configs, onMismatch: 'fail' })).toEqual([]);
  });

  const mismatched = { replication: 2, configs: { 'retention.ms': 1, 'no.such.setting': 'x' } };
  it('finds every difference, and warns of it or refuses', () => {
    const differences = [
      ['replication', '2', '3'],
      ['retention.ms', '1', '604800000'],
      ['no.such.setting', 'x', 'unknown to the broker'],
    ];
    expect(brief(mismatched)).toEqual(differences.map((each) => [...each, false]));
    expect(brief({ ...mismatched, onMismatch: 'fail' })).toEqual(differences.map((each) => [...each, true]));
    expect(brief({ ...mismatched, onMismatch: 'ignore' })).toEqual([]);
    expect(compare(mismatched)[1]?.hint).toContain("--entity-name out --add-config 'retention.ms=[1]'");
  });

  it('always refuses another number of partitions', () => {
    expect(brief({ partitions: 5 })).toEqual([['partitions', '5', '4', true]]);
    expect(brief({ partitions: 5, onMismatch: 'ignore' })).toEqual([['partitions', '5', '4', true]]);
  });
});
