import { expectations, maskPii, topology, validate } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface Ticket {
  readonly at: number;
  readonly text: string;
}

/** Tickets without personal data, and no empty ones: what is masked before a sink is nowhere after it. */
export const example = topology('masked-tickets', { deadLetters }, (t) => {
  t.source('tickets', topic<Ticket>('tickets'))
    .via('sound', validate(expectations<Ticket>().matches('text', /\S/)))
    .via(
      'masked',
      maskPii({ fields: ['text'], find: { email: 'token', card: 'partial' }, key: 'an example has no secrets' }),
    )
    .to('out', out());
});

export const records = {
  tickets: [
    { at: 0, text: 'ann@example.com paid with 4111 1111 1111 1111' },
    { at: 1, text: ' ' },
  ],
};

/* out
out  {"at": 0, "text": "[email:OLHktLARbJbjTcbdGHrHfX] paid with **** **** **** 1111"}
dead letter  matches:text: text is " ", which does not match /\S/
*/
