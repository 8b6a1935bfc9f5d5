import { describe, expect, it } from 'vitest';
import { namesOf } from '../../../connectors/kafka/checkpoint/task-session.js';
import { topicNameProblems } from '../../../connectors/kafka/topic-name.js';

describe('the name of a topic', () => {
  it.each(['payments.v1', 'a', '_internal-2', 'x'.repeat(249)])('may be %s', (topic) => {
    expect(topicNameProblems(topic)).toEqual([]);
  });

  it.each(['', '.', '..', 'payments..v1 ', 'zahlungen/eu', 'prüfung', 'two\nlines', 'x'.repeat(250)])(
    'may not be %j',
    (topic) => {
      expect(topicNameProblems(topic)).toMatchObject([{ message: `'${topic}' cannot be the name of a topic` }]);
    },
  );

  it('is what the changelog of a subtopology has', () => {
    const { changelog } = namesOf('millrace', { topology: 'transfers/by-account', partition: 0 });
    expect(topicNameProblems(changelog)).toEqual([]);
  });
});
