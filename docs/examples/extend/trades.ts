// A topology with your own source, lookup, operator, learner, aggregate and sinks.
import { featurize, hours, learn, lookup, map, minutes, topology, window } from 'millrace';
import { featureView, hashed, numeric } from 'millrace/ml';
import { tumbling } from 'millrace/window';
import { lines } from './lines/index.js';
import { passiveAggressive } from './passive-aggressive.js';
import { sinceLast } from './since-last.js';
import { weightedMean } from './weighted-mean.js';

interface Trade {
  readonly id: number;
  readonly symbol: string;
  readonly price: number;
  readonly size: number;
  readonly at: number;
}
interface Company {
  readonly symbol: string;
  readonly sector: string;
}
/** The label: whether the price rose after a trade. It arrives later. */
interface Outcome {
  readonly trade: number;
  readonly rose: boolean;
  readonly at: number;
}
interface Enriched extends Trade {
  readonly company: Company | null;
  readonly pauseSeconds: number | null;
}

const tradeFeatures = featureView({
  name: 'trades',
  version: 1,
  columns: {
    size: ({ size }: Enriched) => Math.log1p(size),
    pause: ({ pauseSeconds }: Enriched) => Math.log1p(pauseSeconds ?? 0),
    sector: ({ company }: Enriched) => company?.sector,
  },
  features: { size: numeric('size'), pause: numeric('pause'), sector: hashed('sector') },
  hashBits: 8,
});

export const trades = topology('trades', { deadLetters: lines.sink({ folder: 'data/dead' }) }, (t) => {
  const outcomes = t.source('outcomes', lines.source<Outcome>({ folder: 'data/outcomes', eventTime: ({ at }) => at }));
  const traded = t.source('trades', lines.source<Trade>({ folder: 'data/trades', eventTime: ({ at }) => at }));

  traded
    .via(
      'minutes',
      window({
        key: ({ symbol }) => symbol,
        window: tumbling(minutes(1)),
        aggregate: {
          price: weightedMean<Trade>(
            ({ price }) => price,
            ({ size }) => size,
          ),
        },
        keysMax: 10_000,
      }),
    )
    .to('prices', lines.sink({ folder: 'data/prices' }));

  traded
    .via(
      'company',
      lookup({
        from: lines.lookup<Company>({ file: 'data/companies.ndjson', key: 'symbol' }),
        key: ({ symbol }) => symbol,
        as: 'company',
      }),
    )
    .via('pause', sinceLast({ key: ({ symbol }) => symbol, keysMax: 10_000 }))
    .via('features', featurize(tradeFeatures))
    .via(
      'model',
      { labels: outcomes },
      learn(passiveAggressive({ aggressiveness: 0.5 }), {
        as: 'rises',
        view: tradeFeatures,
        key: ({ id }) => id,
        label: { key: ({ trade }) => trade, value: ({ rose }) => rose, wait: hours(1) },
        pendingMax: 100_000,
      }),
    )
    .via(
      'result',
      map(({ id, symbol, rises }) => ({ id, symbol, rises })),
    )
    .to('predictions', lines.sink({ folder: 'data/predictions' }));
});
