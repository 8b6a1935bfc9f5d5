import { hours, json, match, minutes, type Stream, startsWith, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

// Checked by the compiler alone: a match has the names and types of its stages, and every wrong pattern must not compile.

interface Login {
  readonly kind: 'login';
  readonly card: string;
  readonly ok: boolean;
}
interface Charge {
  readonly kind: 'charge';
  readonly card: string;
  readonly amount: number;
}
type CardEvent = Login | Charge;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type ValueOf<S> = S extends Stream<infer T> ? T : never;
const holds = <_T extends true>() => {};
const isCharge = (event: CardEvent): event is Charge => event.kind === 'charge';

topology('patterns', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const events = t.source('events', kafka.source({ topic: 'events.v1', schema: json<CardEvent>() }));
  const bounds = { key: (event: CardEvent) => event.card, within: minutes(10), runsMax: 10, pendingMax: 10 };

  const failed = startsWith('failed', (event: CardEvent): event is Login => event.kind === 'login' && !event.ok)
    .oneOrMore()
    .greedy();
  const pattern = failed
    .next('small', isCharge)
    .optional()
    .notFollowedBy('login', (event, { failed: logins, small }) => {
      holds<Same<typeof logins, readonly Login[]>>();
      holds<Same<typeof small, Charge | undefined>>();
      return event.kind === 'login';
    })
    .followedBy('large', (event, { large, failed: logins }) => {
      holds<Same<typeof large, readonly CardEvent[]>>();
      return isCharge(event) && event.amount > logins.length;
    });
  const alerts = events.via(
    'alerts',
    match({
      ...bounds,
      pattern,
      skip: { toLast: 'failed' },
      select: (matched, { key, startMs }) => {
        type Matched = {
          readonly failed: readonly Login[];
          readonly small: Charge | undefined;
          readonly large: CardEvent;
        };
        holds<Same<typeof matched, Matched>>();
        return { card: key, startMs, logins: matched.failed.length };
      },
      timedOut: ({ failed: logins = [] }) => logins.length,
    }),
  );
  type Alert = { card: string; startMs: number; logins: number };
  holds<Same<ValueOf<typeof alerts>, number | Alert>>();

  // Without `timedOut`, matches alone.
  const plain = events.via('plain', match({ ...bounds, pattern, select: ({ large }) => large }));
  holds<Same<ValueOf<typeof plain>, CardEvent>>();

  // @ts-expect-error the name is taken
  pattern.next('small', isCharge);
  // @ts-expect-error no such field
  pattern.next('other', (event) => event.amount > 3);
  // @ts-expect-error nothing of this name was matched
  pattern.next('other', (_, { medium }) => medium !== undefined);
  // @ts-expect-error a stage that takes one event is not greedy
  pattern.greedy();
  // @ts-expect-error what must not come has no number
  failed.notNext('login', isCharge).times(2);
  // @ts-expect-error a stage that takes one event has no combinations
  startsWith('a', isCharge).allowCombinations();
  // @ts-expect-error the pattern has no such stage
  events.via('w', match({ ...bounds, pattern, skip: { toFirst: 'medium' }, select: ({ large }) => large }));
  // @ts-expect-error nothing of this name was matched
  events.via('w', match({ ...bounds, pattern, select: ({ medium }) => medium }));
  // @ts-expect-error a pattern without an end in time would keep its runs for ever
  events.via('w', match({ key: bounds.key, runsMax: 1, pendingMax: 1, pattern, select: ({ large }) => large }));
  const ofNumbers = startsWith('n', (n: number) => n > hours(1));
  // @ts-expect-error a pattern over other events
  events.via('w', match({ ...bounds, pattern: ofNumbers, select: ({ n }) => n }));
});
