import { sample, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Click {
  readonly at: number;
  readonly user: string;
}

/** All clicks of half of the users; the same half in every run. */
export const example = topology('sample', { deadLetters }, (t) => {
  t.source('clicks', topic<Click>('clicks'))
    .via('half-of-the-users', sample({ key: ({ user }) => user, rate: 0.5 }))
    .to('out', out());
});

export const records = {
  clicks: ['ann', 'bob', 'cy', 'dee', 'eve', 'fay', 'gus', 'hal', 'ann', 'bob'].map((user, at) => ({ at, user })),
};

/* out
out  {"at": 0, "user": "ann"}
out  {"at": 1, "user": "bob"}
out  {"at": 2, "user": "cy"}
out  {"at": 4, "user": "eve"}
out  {"at": 7, "user": "hal"}
out  {"at": 8, "user": "ann"}
out  {"at": 9, "user": "bob"}
*/
