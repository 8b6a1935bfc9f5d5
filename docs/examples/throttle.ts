import { seconds, throttle, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Event {
  readonly at: number;
  readonly device: string;
}

/** Two records of a device in ten seconds, in event time. */
export const example = topology('throttle', { deadLetters }, (t) => {
  t.source('events', topic<Event>('events'))
    .via('fair', throttle({ key: ({ device }) => device, records: 2, per: seconds(10), keysMax: 1_000 }))
    .to('out', out());
});

export const records = { events: [0, 1, 2, 3, 12].map((at) => ({ at, device: 'a' })) };

/* out
out  {"at": 0, "device": "a"}
out  {"at": 1, "device": "a"}
out  {"at": 12, "device": "a"}
dead letter  rate-exceeded: more than 2 in 10s, and bursts of 2
dead letter  rate-exceeded: more than 2 in 10s, and bursts of 2
*/
