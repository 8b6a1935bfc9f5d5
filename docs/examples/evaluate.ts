import { evaluate, hours, minutes, seconds, topology } from 'millrace';
import { accuracy, brier } from 'millrace/ml';
import { deadLetters, out, topic } from './io.js';

interface Prediction {
  readonly at: number;
  readonly flight: string;
  readonly origin: string;
  readonly probability: number;
}
interface Arrival {
  readonly at: number;
  readonly flight: string;
  readonly late: boolean;
}

/** How good predictions are, by the hour in which they were made and by origin, as labels come. */
export const example = topology('evaluate', { deadLetters }, (t) => {
  const arrivals = t.source('arrivals', topic<Arrival>('arrivals', { outOfOrdernessMax: seconds(10) }));
  t.source('predictions', topic<Prediction>('predictions', { outOfOrdernessMax: seconds(10) }))
    .via(
      'quality',
      { labels: arrivals },
      evaluate({
        prediction: { key: ({ flight }) => flight, value: ({ probability }) => probability },
        label: { key: ({ flight }) => flight, value: ({ late }) => late },
        wait: minutes(90),
        correctable: hours(1),
        metrics: { right: accuracy(), brier: brier() },
        slices: { origin: ({ origin }) => origin },
        every: hours(1),
        pendingMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  predictions: [
    { at: 0, flight: 'a', origin: 'JFK', probability: 0.75 },
    { at: 600, flight: 'b', origin: 'SFO', probability: 0.5 },
    { at: 1_200, flight: 'c', origin: 'JFK', probability: 0.25 },
    { at: 9_000, flight: 'd', origin: 'SFO', probability: 0.5 },
  ],
  arrivals: [
    { at: 3_000, flight: 'a', late: true },
    { at: 4_000, flight: 'b', late: true },
    { at: 8_000, flight: 'a', late: false }, // a correction
    // the labels of c and d never come
  ],
};

/* out
out  {"slice": "all", "value": "", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 3600000, "predicted": 3, "labelled": 1, "assumed": 0, "corrected": 0, "task": 0, "coverage": 0.3333333333333333, "delayP50Ms": 2988992.784729771, "delayP95Ms": 2988992.784729771, "sums": {}, "right": 1, "brier": 0.0625}
out  {"slice": "origin", "value": "JFK", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 3600000, "predicted": 2, "labelled": 1, "assumed": 0, "corrected": 0, "task": 0, "coverage": 0.5, "delayP50Ms": 2988992.784729771, "delayP95Ms": 2988992.784729771, "sums": {}, "right": 1, "brier": 0.0625}
out  {"slice": "origin", "value": "SFO", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 3600000, "predicted": 1, "labelled": 0, "assumed": 0, "corrected": 0, "task": 0, "coverage": 0, "delayP50Ms": null, "delayP95Ms": null, "sums": {}, "right": null, "brier": null}
out  {"slice": "all", "value": "", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 7200000, "predicted": 3, "labelled": 2, "assumed": 0, "corrected": 0, "task": 0, "coverage": 0.6666666666666666, "delayP50Ms": 2988992.784729771, "delayP95Ms": 2988992.784729771, "sums": {}, "right": 0.5, "brier": 0.15625}
out  {"slice": "origin", "value": "SFO", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 7200000, "predicted": 1, "labelled": 1, "assumed": 0, "corrected": 0, "task": 0, "coverage": 1, "delayP50Ms": 3370093.4353319374, "delayP95Ms": 3370093.4353319374, "sums": {}, "right": 0, "brier": 0.25}
out  {"slice": "all", "value": "", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 10800000, "predicted": 3, "labelled": 2, "assumed": 0, "corrected": 1, "task": 0, "coverage": 0.6666666666666666, "delayP50Ms": 2988992.784729771, "delayP95Ms": 2988992.784729771, "sums": {}, "right": 0, "brier": 0.40625}
out  {"slice": "origin", "value": "JFK", "version": "", "startMs": 0, "endMs": 3600000, "atMs": 10800000, "predicted": 2, "labelled": 1, "assumed": 0, "corrected": 1, "task": 0, "coverage": 0.5, "delayP50Ms": 2988992.784729771, "delayP95Ms": 2988992.784729771, "sums": {}, "right": 0, "brier": 0.5625}
out  {"slice": "all", "value": "", "version": "", "startMs": 7200000, "endMs": 10800000, "atMs": 10800000, "predicted": 1, "labelled": 0, "assumed": 0, "corrected": 0, "task": 0, "coverage": 0, "delayP50Ms": null, "delayP95Ms": null, "sums": {}, "right": null, "brier": null}
out  {"slice": "origin", "value": "SFO", "version": "", "startMs": 7200000, "endMs": 10800000, "atMs": 10800000, "predicted": 1, "labelled": 0, "assumed": 0, "corrected": 0, "task": 0, "coverage": 0, "delayP50Ms": null, "delayP95Ms": null, "sums": {}, "right": null, "brier": null}
*/
