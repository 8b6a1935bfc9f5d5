import { impute, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly celsius: number | null;
  readonly unit?: string;
}

/** Fills in what is missing, from the values before it. */
export const example = topology('impute', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via('impute', impute({ celsius: 'median', unit: { constant: 'C' } }))
    .to('out', out());
});

export const records = {
  readings: [
    { at: 0, celsius: null }, // nothing is known yet
    { at: 1, celsius: 20 },
    { at: 2, celsius: 24, unit: 'K' },
    { at: 3, celsius: 21 },
    { at: 4, celsius: null },
  ],
};

/* out
out  {"at": 1, "celsius": 20, "unit": "C"}
out  {"at": 2, "celsius": 24, "unit": "K"}
out  {"at": 3, "celsius": 21, "unit": "C"}
out  {"at": 4, "celsius": 21, "unit": "C"}
dead letter  nothing-to-impute: celsius is null, and there is nothing to go by
*/
