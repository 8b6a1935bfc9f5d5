import { minutes, quarantine, topology, validateWindows, windowExpectations } from 'millrace';
import { tumbling } from 'millrace/window';
import { deadLetters, out, topic } from './io.js';

interface Trip {
  readonly at: number;
  readonly station: string;
  readonly km: number;
}

const tripsAsExpected = windowExpectations<Trip>().mean('km', 1, 10, 'divert');

/** Holds trips back after a minute that was not as expected. */
export const example = topology('quarantine', { deadLetters }, (t) => {
  const trips = t.source('trips', topic<Trip>('trips'));
  const verdicts = trips.via('quality', validateWindows({ window: tumbling(minutes(1)), expect: tripsAsExpected }));
  trips.via('gate', { verdicts }, quarantine()).to('out', out());
});

export const records = {
  trips: [
    { at: 1, station: 'dock', km: 2 },
    { at: 61, station: 'dock', km: 900 }, // spoils its minute
    { at: 121, station: 'park', km: 3 }, // says that the minute is over, and has passed when that is known
    { at: 125, station: 'park', km: 5 }, // held back
    { at: 181, station: 'park', km: 4 }, // the last one to be held back: a minute that was well is over
    { at: 185, station: 'dock', km: 6 },
  ],
};

/* out
out  {"at": 1, "station": "dock", "km": 2}
out  {"at": 61, "station": "dock", "km": 900}
out  {"at": 121, "station": "park", "km": 3}
out  {"at": 185, "station": "dock", "km": 6}
dead letter  quarantined: mean:km since 60000
dead letter  quarantined: mean:km since 60000
*/
