import type { Problem } from '../../src/core/operator.js';

/** Checks a topic's name by Kafka's rules before a broker is reached. The embedded log has the same rules. */
export function topicNameProblems(topic: string): readonly Problem[] {
  if (/^[\w.-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return [];
  return [
    {
      message: `'${topic}' cannot be the name of a topic`,
      hint: 'names have 1 to 249 letters, digits, dots, underscores and hyphens, such as payments.v1',
    },
  ];
}
