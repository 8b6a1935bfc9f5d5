import { clickhouse } from '../../connectors/clickhouse/index.js';
import { file } from '../../connectors/file/index.js';
import { kafka } from '../../connectors/kafka/index.js';
import { postgres } from '../../connectors/postgres/index.js';
import { redis } from '../../connectors/redis/index.js';
import type { Schema } from '../../src/core/schema.js';
import { featurize, hours, learn, map, ndjson, seconds, topology, window } from '../../src/index.js';
import { adaptiveRandomForest, featureView, ftrl, hashed, logisticRegression, numeric } from '../../src/ml.js';
import { stateful } from '../../src/operator.js';
import { mapCell } from '../../src/state/index.js';
import { count as countOf, sum, tumbling } from '../../src/window.js';

/** One event: `n` counts over all, `nth` over those of its key. */
export interface Click {
  readonly n: number;
  readonly key: string;
  readonly nth: number;
  readonly atMs: number;
  readonly size: number;
}

/** What became of an event, some time later. */
export interface Outcome {
  readonly n: number;
  readonly atMs: number;
  readonly good: boolean;
}

export interface Topics {
  readonly clicks: string;
  readonly outcomes: string;
  readonly scored: string;
  /** Of windows over a second by another key, behind a repartition; without it there are none. */
  readonly windows?: string | undefined;
}

/** Names in the stores beside Kafka. */
export interface StoreNames {
  /** Of hashes: `<hashes>:click:<n>` for each click, `<hashes>:newest:<key>` for the newest of each key. */
  readonly hashes: string;
  readonly table: string;
  /** Written exactly once. */
  readonly onceTable: string;
  /** A table of Postgres and a folder; neither is written without it. */
  readonly more?: { readonly postgresTable: string; readonly folder: string } | undefined;
}

/** What is written of each click. */
export interface Scored {
  readonly n: number;
  readonly key: string;
  readonly nth: number;
  readonly count: number;
  readonly probability: number;
  readonly model: string;
  /** What the forest gives to a good outcome. */
  readonly forest: number;
}

const json = <T>(subject: string): Schema<T> => ({ format: 'json', subject, definition: undefined });

const columns = {
  n: 'UInt32',
  key: 'String',
  nth: 'UInt32',
  count: 'UInt32',
  probability: 'Float64',
  model: 'String',
  forest: 'Float64',
} as const;

const postgresColumns = {
  n: 'integer',
  key: 'text',
  nth: 'integer',
  count: 'integer',
  probability: 'double precision',
  model: 'text',
  forest: 'double precision',
} as const;

const view = featureView({
  name: 'clicks',
  version: 1,
  hashBits: 10,
  columns: { key: (c: Click) => c.key, size: (c: Click) => c.size },
  features: { size: numeric('size', { center: 50, scale: 30 }), key: hashed('key') },
});

/** For trees, which take no hashed features. */
const denseView = featureView({
  name: 'clicks-dense',
  version: 1,
  columns: { size: (c: Click) => c.size, nth: (c: Click) => c.nth },
  features: { size: numeric('size', { center: 50, scale: 30 }), nth: numeric('nth', { center: 0, scale: 100 }) },
});

/** Windows have the rest of `n` divided by this as their key. */
const RESTS = 13;

/**
 * What chaos is let loose upon: a running count of each key, without any dedupe, so that a record that is lost, doubled
 * or out of order shows in every later one of its key; and two models whose weights and trees depend on the order of everything. What
 * comes of it goes to a topic and, where names for them are given, to Redis and ClickHouse too, and into windows of a second
 * sub-topology.
 */
export const clicks = (topics: Topics, stores?: StoreNames, name = 'clicks') =>
  topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${topics.scored}.dead` }) }, (t) => {
    const clicked = t.source(
      'clicks',
      kafka.source({ topic: topics.clicks, schema: json<Click>('clicks-value'), eventTime: (c) => c.atMs }),
    );
    const outcomes = t.source(
      'outcomes',
      kafka.source({ topic: topics.outcomes, schema: json<Outcome>('outcomes-value'), eventTime: (o) => o.atMs }),
    );
    const scored = clicked
      .via('count', count())
      .via('dense-features', featurize(denseView))
      .via(
        'forest',
        { labels: outcomes },
        learn(adaptiveRandomForest({ classes: ['bad', 'good'], trees: 5, seed: 7 }), {
          as: 'forest',
          view: denseView,
          key: (c) => c.n,
          label: { key: (o: Outcome) => o.n, value: (o: Outcome) => (o.good ? 'good' : 'bad'), wait: hours(1) },
          pendingMax: 10_000,
        }),
      )
      .via(
        'one-score',
        map(({ features: _, forest: { scores }, ...click }) => ({ ...click, forest: scores.good })),
      )
      .via('features', featurize(view))
      .via(
        'model',
        { labels: outcomes },
        learn(logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) }), {
          as: 'good',
          view,
          key: (c) => c.n,
          label: { key: (o: Outcome) => o.n, value: (o: Outcome) => o.good, wait: hours(1) },
          pendingMax: 10_000,
          versionEveryLabels: 1,
        }),
      )
      .via(
        'score',
        map(
          ({ n, key, nth, count, good, forest }): Scored => ({
            n,
            key,
            nth,
            count,
            probability: good.probability,
            model: good.modelVersion,
            forest,
          }),
        ),
      );
    scored.to('scored', kafka.sink({ topic: topics.scored, schema: json('scored-value'), key: ({ key }) => key }));
    if (topics.windows !== undefined) {
      scored
        .repartition('by-rest', { key: ({ n }) => `${n % RESTS}`, schema: json<Scored>('scored-value') })
        .via(
          'by-second',
          window({
            key: ({ n }) => n % RESTS,
            window: tumbling(seconds(1)),
            aggregate: { clicks: countOf(), n: sum((s) => s.n), counts: sum((s) => s.count) },
            keysMax: RESTS,
          }),
        )
        .to(
          'windows',
          kafka.sink({ topic: topics.windows, schema: json('windows-value'), key: ({ key }) => `${key}` }),
        );
    }
    if (stores === undefined) return;
    scored.to('each', redis.hashSink({ key: ({ n }) => `${stores.hashes}:click:${n}`, ttl: hours(24) }));
    scored.to('newest', redis.hashSink({ key: ({ key }) => `${stores.hashes}:newest:${key}`, ttl: hours(24) }));
    scored.to('rows', clickhouse.tableSink({ table: stores.table, columns, orderBy: ['key'] }));
    scored.to('once', clickhouse.tableSink({ table: stores.onceTable, columns, exactlyOnce: true }));
    if (stores.more === undefined) return;
    const { postgresTable, folder } = stores.more;
    scored.to('postgres', postgres.tableSink({ table: postgresTable, columns: postgresColumns }));
    scored.to('files', file.sink({ folder, schema: ndjson<Scored>(), roll: { age: seconds(5) } }));
  });

const count = () =>
  stateful<Click, Click & { readonly count: number }, { counts: ReturnType<typeof mapCell<string, number>> }>({
    kind: 'count',
    // Bounded, since what a map without bounds stores depends on where epochs ended.
    cells: { counts: mapCell<string, number>({ entriesMax: 10_000 }) },
    open: ({ counts }) => ({
      onRecord(_input, click, emit) {
        const count = (counts.get(click.key) ?? 0) + 1;
        counts.set(click.key, count, click.atMs);
        emit({ ...click, count });
      },
    }),
  });
