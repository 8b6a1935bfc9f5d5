import { match, minutes, startsWith, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface CardEvent {
  readonly at: number;
  readonly card: string;
  readonly kind: 'charge' | 'login';
  readonly amount: number;
}

const tested = startsWith('small', (event: CardEvent) => event.kind === 'charge' && event.amount < 2)
  .notFollowedBy('login', (event) => event.kind === 'login')
  .followedBy('large', (event, { small }) => event.amount > 100 * small.amount);

/** A small charge, then a large one, and nobody logged in between. */
export const example = topology('match', { deadLetters }, (t) => {
  t.source('events', topic<CardEvent>('events'))
    .via(
      'tested-cards',
      match({
        key: ({ card }) => card,
        pattern: tested,
        within: minutes(10),
        select: ({ small, large }, { key }) => ({ card: key, small: small.amount, large: large.amount }),
        runsMax: 1_000,
        pendingMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  events: [
    { at: 0, card: 'A', kind: 'charge', amount: 1 },
    { at: 1, card: 'B', kind: 'charge', amount: 1 },
    { at: 2, card: 'B', kind: 'login', amount: 0 },
    { at: 30, card: 'A', kind: 'charge', amount: 500 },
    { at: 31, card: 'B', kind: 'charge', amount: 500 }, // its owner was there
  ],
};

/* out
out  {"card": "A", "small": 1, "large": 500}
*/
