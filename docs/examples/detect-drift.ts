import { detectDrift, topology } from 'millrace';
import { ddm } from 'millrace/ml';
import { deadLetters, out, topic } from './io.js';

interface Prediction {
  readonly at: number;
  readonly origin: string;
  readonly late: boolean;
  readonly wasLate: boolean;
}

/** An event where the errors of a model become more, by origin. */
export const example = topology('detect-drift', { deadLetters }, (t) => {
  t.source('judged', topic<Prediction>('judged'))
    .via(
      'drift',
      detectDrift({
        of: ({ late, wasLate }) => late !== wasLate,
        detector: ddm(),
        key: ({ origin }) => origin,
        keysMax: 400,
      }),
    )
    .to('out', out());
});

/** One error in ten at both; after 100 predictions every second one at SFO. */
const isWrong = (origin: string, i: number) => i % (origin === 'SFO' && i >= 100 ? 2 : 10) === 0;

export const records = {
  judged: Array.from({ length: 140 }, (_, i) =>
    ['JFK', 'SFO'].map((origin) => ({ at: 60 * i, origin, late: isWrong(origin, i), wasLate: false })),
  ).flat(),
};

/* out
out  {"key": "SFO", "detector": "ddm", "level": "warning", "statistic": 0.16344203920805245, "threshold": 0.15999999999999998, "before": 0.09999999999999998, "after": 0.1308411214953271, "numbers": 107, "atMs": 6360000}
out  {"key": "SFO", "detector": "ddm", "level": "drift", "statistic": 0.19040423227698836, "threshold": 0.18999999999999997, "before": 0.09999999999999998, "after": 0.15652173913043477, "numbers": 115, "atMs": 6840000}
*/
