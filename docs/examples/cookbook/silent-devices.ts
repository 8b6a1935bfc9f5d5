import { detectInactivity, filter, map, minutes, seconds, topology } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface Reading {
  readonly at: number;
  readonly device: string;
}

/** Devices that have said nothing for five minutes. */
export const example = topology('silent-devices', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'presence',
      detectInactivity({
        key: ({ device }) => device,
        inactivityTimeout: minutes(5),
        processingTimeInterval: seconds(30),
        keysMax: 10_000,
      }),
    )
    .via(
      'gone',
      filter(({ present }) => !present),
    )
    .via(
      'alarm',
      map(({ key }) => ({ silent: key })),
    )
    .to('out', out());
});

export const records = {
  readings: [
    { at: 0, device: 'a' },
    { at: 10, device: 'b' },
  ],
};

export const silence = minutes(6);

/* out
out  {"silent": "a"}
out  {"silent": "b"}
*/
