import type { Problem } from '../../src/core/operator.js';

/** What Kafka would say of a topic's name, before there is a broker to say it; the embedded store keeps to the same names. */
export function topicNameProblems(topic: string): readonly Problem[] {
  if (/^[\w.-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return [];
  return [
    {
      message: `'${topic}' cannot be the name of a topic`,
      hint: 'names have 1 to 249 letters, digits, dots, underscores and hyphens, such as payments.v1',
    },
  ];
}
