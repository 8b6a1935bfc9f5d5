import { minutes, topology, window } from 'millrace';
import { count, quantiles, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Request {
  readonly at: number;
  readonly service: string;
  readonly ms: number;
}

/** Median and 99th percentile of each service and minute, within 1 %. */
export const example = topology('latencies', { deadLetters }, (t) => {
  t.source('requests', topic<Request>('requests'))
    .via(
      'by-minute',
      window({
        key: ({ service }) => service,
        window: tumbling(minutes(1)),
        aggregate: { requests: count(), ms: quantiles(({ ms }) => ms, [0.5, 0.99]) },
        keysMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = { requests: Array.from({ length: 50 }, (_, i) => ({ at: i, service: 'cart', ms: 10 + i })) };

/* out
out  {"key": "cart", "startMs": 0, "endMs": 60000, "requests": 50, "ms": [34.12627690364846, 58.561979516876065]}
*/
