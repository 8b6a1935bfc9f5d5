import { json, match, minutes, startsWith, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

interface Login {
  readonly kind: 'login';
  readonly card: string;
  readonly at: number;
}
interface Charge {
  readonly kind: 'charge';
  readonly card: string;
  readonly at: number;
  readonly amount: number;
}
type CardEvent = Login | Charge;

const isCharge = (event: CardEvent): event is Charge => event.kind === 'charge';

// A stolen card: a small charge as a test, then a large one, without a login of the owner between them.
const tested = startsWith('small', (event: CardEvent): event is Charge => isCharge(event) && event.amount < 2)
  .notFollowedBy('login', (event) => event.kind === 'login')
  .followedBy('large', (event, { small }): event is Charge => isCharge(event) && event.amount > 100 * small.amount);

export const testedCards = topology(
  'tested-cards',
  { deadLetters: kafka.deadLetterSink({ topic: 'cards.dead' }) },
  (t) => {
    t.source(
      'events',
      kafka.source({
        topic: 'card-events.v1',
        schema: json<CardEvent>(),
        eventTime: (event) => event.at,
        outOfOrdernessMax: minutes(1), // how far behind the latest one an event may come and still be in time
      }),
    )
      .via(
        'tested',
        match({
          key: (event) => event.card,
          pattern: tested,
          within: minutes(10),
          skip: 'past-last',
          select: ({ small, large }, { key, startMs }) => ({
            card: key,
            startMs,
            tried: small.amount,
            spent: large.amount,
          }),
          runsMax: 100_000,
          pendingMax: 100_000,
        }),
      )
      .to('alerts', kafka.sink({ topic: 'tested-cards.v1', schema: json(), key: (alert) => alert.card }));
  },
);
