import { minutes, topology, validateWindows, windowExpectations } from 'millrace';
import { tumbling } from 'millrace/window';
import { deadLetters, out, topic } from './io.js';

interface Trip {
  readonly at: number;
  readonly station: string;
  readonly km: number;
}

const tripsAsExpected = windowExpectations<Trip>().volume(2, 100).mean('km', 1, 10);

/** A verdict for each minute and expectation. */
export const example = topology('validate-windows', { deadLetters }, (t) => {
  t.source('trips', topic<Trip>('trips'))
    .via('quality', validateWindows({ window: tumbling(minutes(1)), expect: tripsAsExpected }))
    .to('out', out());
});

export const records = {
  trips: [
    { at: 1, station: 'dock', km: 2 },
    { at: 2, station: 'park', km: 4 },
    { at: 61, station: 'dock', km: 90 },
  ],
};

/* out
out  {"key": "", "startMs": 0, "endMs": 60000, "expectation": "volume", "severity": "warn", "success": true, "observed": 2, "min": 2, "max": 100, "records": 2}
out  {"key": "", "startMs": 0, "endMs": 60000, "expectation": "mean:km", "severity": "warn", "success": true, "observed": 3, "min": 1, "max": 10, "records": 2}
out  {"key": "", "startMs": 60000, "endMs": 120000, "expectation": "volume", "severity": "warn", "success": false, "observed": 1, "min": 2, "max": 100, "records": 1}
out  {"key": "", "startMs": 60000, "endMs": 120000, "expectation": "mean:km", "severity": "warn", "success": false, "observed": 90, "min": 1, "max": 10, "records": 1}
*/
