import { estimatePerformance, hours, map, minutes, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Prediction {
  readonly at: number;
  readonly id: number;
  readonly late: number;
}
interface Arrival {
  readonly at: number;
  readonly ride: number;
  readonly late: boolean;
}

/** What the accuracy of each ten minutes probably is, and an hour later what it was. */
export const example = topology('estimate-performance', { deadLetters }, (t) => {
  const arrivals = t.source('arrivals', topic<Arrival>('arrivals'));
  t.source('predictions', topic<Prediction>('predictions'))
    .via(
      'expected',
      { labels: arrivals },
      estimatePerformance({
        prediction: { key: ({ id }) => id, value: ({ late }) => late },
        label: { key: ({ ride }) => ride, value: ({ late }) => late },
        wait: hours(1),
        every: minutes(10),
        pendingMax: 1_000,
      }),
    )
    .via(
      'shown',
      map(({ startMs, labelled, expectedAccuracy, accuracy }) => ({
        minute: startMs / 60_000,
        labelled,
        expected: Math.round(100 * (expectedAccuracy ?? 0)) / 100,
        accuracy,
      })),
    )
    .to('out', out());
});

const predictions = Array.from({ length: 20 }, (_, id) => ({ at: 60 * id, id, late: id % 4 === 0 ? 0.9 : 0.2 }));

export const records = {
  predictions,
  arrivals: [
    ...predictions.map(({ id, at }) => ({ at: at + 1_500, ride: id, late: id % 4 === 0 })),
    { at: 9_000, ride: 99, late: false },
  ],
};

/* out
out  {"minute": 0, "labelled": 0, "expected": 0.83, "accuracy": null}
out  {"minute": 10, "labelled": 0, "expected": 0.82, "accuracy": null}
out  {"minute": 0, "labelled": 10, "expected": 0.83, "accuracy": 1}
out  {"minute": 10, "labelled": 10, "expected": 0.82, "accuracy": 1}
*/
