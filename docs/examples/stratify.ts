import { minutes, stratify, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Click {
  readonly at: number;
  readonly id: number;
  readonly country: string;
}

/** At most two clicks a minute of each country. */
export const example = topology('stratify', { deadLetters }, (t) => {
  t.source('clicks', topic<Click>('clicks'))
    .via(
      'thin',
      stratify({
        stratum: ({ country }) => country,
        key: ({ id }) => id,
        quota: { records: 2, every: minutes(1) },
        strataMax: 300,
      }),
    )
    .to('out', out());
});

export const records = { clicks: ['DE', 'DE', 'FR', 'DE', 'DE', 'FR'].map((country, id) => ({ at: id, id, country })) };

/* out
out  {"at": 0, "id": 0, "country": "DE"}
out  {"at": 1, "id": 1, "country": "DE"}
out  {"at": 2, "id": 2, "country": "FR"}
out  {"at": 5, "id": 5, "country": "FR"}
*/
