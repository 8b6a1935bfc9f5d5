import { expectations, hours, table, topology, validate } from 'millrace';
import { compacted, deadLetters, out, topic } from './io.js';

interface Flight {
  readonly at: number;
  readonly id: string;
  readonly origin: string;
  readonly taxiMinutes: number;
}
interface Airport {
  readonly at: number;
  readonly city: string;
}

const flightsAsExpected = expectations<Flight>()
  .unique('id', { within: hours(24), keysMax: 100_000 })
  .references('origin', 'airports', { keysMax: 10_000 })
  .usual('taxiMinutes', { iqr: 1.5, window: 100, warmUp: 4 });

/** Rules that look further than one record: at those before it, and at a table. */
export const example = topology('validate-references', { deadLetters }, (t) => {
  const airports = t.source('airports', compacted<Airport>('airports')).via('airport', table({ keysMax: 10_000 }));
  t.source('flights', topic<Flight>('flights'))
    .via('validate', { airports }, validate(flightsAsExpected))
    .to('out', out());
});

export const records = {
  airports: [
    { key: 'ATL', value: { at: 0, city: 'Atlanta' } },
    { key: 'BOS', value: { at: 20, city: 'Boston' } },
  ],
  flights: [
    { at: 10, id: 'AA1', origin: 'ATL', taxiMinutes: 10 },
    { at: 11, id: 'AA2', origin: 'BOS', taxiMinutes: 12 }, // Boston opens later
    { at: 21, id: 'AA2', origin: 'BOS', taxiMinutes: 12 },
    { at: 22, id: 'AA1', origin: 'ATL', taxiMinutes: 11 },
    { at: 23, id: 'AA3', origin: 'ATL', taxiMinutes: 9 },
    { at: 24, id: 'AA4', origin: 'ATL', taxiMinutes: 13 },
    { at: 25, id: 'AA5', origin: 'ATL', taxiMinutes: 600 },
  ],
};

/* out
out  {"at": 10, "id": "AA1", "origin": "ATL", "taxiMinutes": 10}
out  {"at": 21, "id": "AA2", "origin": "BOS", "taxiMinutes": 12}
out  {"at": 23, "id": "AA3", "origin": "ATL", "taxiMinutes": 9}
out  {"at": 24, "id": "AA4", "origin": "ATL", "taxiMinutes": 13}
dead letter  references:origin: origin is "BOS", which airports does not have
dead letter  unique:id: another one passed within 1d: "AA1"
dead letter  usual:taxiMinutes: taxiMinutes is 600, outside 6 to 16 (iqr 1.5 of the last 100)
*/
