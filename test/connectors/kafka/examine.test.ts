import { expect, it } from 'vitest';
import { lessThanTwoCopies } from '../../../connectors/kafka/examine.js';

const one = new Map([
  ['default.replication.factor', '1'],
  ['transaction.state.log.replication.factor', '1'],
  ['offsets.topic.replication.factor', '3'],
]);

it('finds what would be lost with one broker', () => {
  expect(lessThanTwoCopies(one, 'broker 1', 3)).toEqual([
    {
      of: 'broker 1',
      state: 'warning',
      said:
        'one copy is kept of state and outputs in topics that a run creates (default.replication.factor), ' +
        'the state of transactions (transaction.state.log.replication.factor)',
      hint: 'it is out of reach while that broker is down, and gone with its disk: keep three copies',
    },
  ]);
  expect(lessThanTwoCopies(one, 'broker 1', 1)[0]?.hint).toMatch('enough to develop');
});

it('finds nothing where there are copies, or where nothing is told', () => {
  expect(lessThanTwoCopies(new Map([...one.keys()].map((name) => [name, '3'])), 'broker 1', 3)).toEqual([]);
  expect(lessThanTwoCopies(new Map(), 'broker 1', 3)).toEqual([]);
});
