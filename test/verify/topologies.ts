/** Topologies to verify, as a user's file: three that are right, and two that are not. */
export const topologiesFile = (name: string): string => `
import { dedupe, featurize, hours, innerJoin, json, learn, leftJoinTable, map, match, millis, startsWith, table, topology, window } from 'millrace';
import { count, hopping, onInterval, quantile, session, sum } from 'millrace/window';
import { featureView, ftrl, hashed, logisticRegression, numeric } from 'millrace/ml';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';

interface Click { readonly n: number; readonly key: string; readonly size: number; readonly good: boolean }
const dead = { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }), metrics: clickhouse.metricsSink({ table: '${name.replaceAll('-', '_')}_metrics' }) };
const source = () => kafka.source<Click>({ topic: '${name}.clicks', schema: json<Click>(), eventTime: (c) => 1_700_000_000_000 + c.n });

const view = featureView({
  name: 'clicks', version: 1, hashBits: 8,
  columns: { key: (c: Click) => c.key, size: (c: Click) => c.size },
  features: { size: numeric('size', { center: 50, scale: 30 }), key: hashed('key') },
});

// Every output depends on all that was read before it.
export const right = topology('${name}-right', dead, (t) => {
  const clicks = t.source('clicks', source());
  const out = clicks
    .via('once', dedupe({ key: (c) => String(c.n), retention: hours(24), keysMax: 100_000 }))
    .via('features', featurize(view))
    .via('model', { labels: clicks }, learn(logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) }), {
      as: 'guess', view, key: (c) => c.n, pendingMax: 10_000,
      label: { key: (c: Click) => c.n, value: (c: Click) => c.good, wait: hours(1) },
    }))
    .via('score', map(({ n, key, guess }) => ({ n, key, probability: guess.probability })));
  out.to('scores', kafka.sink({ topic: '${name}.scores', schema: json(), key: (s) => 'other-' + s.n % 7 }));
  out.to('online', redis.hashSink({ key: (s) => '${name}:' + s.key, ttl: hours(1) }));
  out.to('history', clickhouse.tableSink({ table: '${name.replaceAll('-', '_')}_scores', columns: { n: 'UInt32', key: 'String', probability: 'Float64' } }));
  out.to('strict', clickhouse.tableSink({ table: '${name.replaceAll('-', '_')}_strict', columns: { n: 'UInt32', probability: 'Float64' }, exactlyOnce: true }));
});

// What is said of a key is revised with every record.
export const revised = topology('${name}-revised', dead, (t) => {
  const newest = t
    .source('clicks', kafka.tableSource<Click>({ topic: '${name}.clicks', schema: json<Click>(), eventTime: (c) => 1_700_000_000_000 + c.n }))
    .via('newest', table({ keysMax: 100 }));
  newest.to('topic', kafka.upsertSink({ topic: '${name}.newest', schema: json() }));
  newest.to('online', redis.upsertSink({ prefix: '${name}:newest:', ttl: hours(1) }));
  newest.to('table', clickhouse.upsertSink({ table: '${name.replaceAll('-', '_')}_newest', key: 'id', columns: { n: 'UInt32', size: 'UInt32' }, orderBy: ['size'] }));
});

// Behind the repartition records of several tasks meet in any order.
export const moved = topology('${name}-moved', dead, (t) => {
  const out = t.source('clicks', source())
    .repartition('by-digit', { key: (c) => String(c.n % 10), schema: json<Click>() })
    .via('digit', map((c: Click) => ({ n: c.n, digit: c.n % 10 })));
  out.to('out', kafka.sink({ topic: '${name}.out', schema: json(), key: (c) => String(c.digit) }));
  out.to('online', redis.hashSink({ key: (c) => 'digit:' + c.digit, ttl: hours(1) }));
  out.to('table', clickhouse.tableSink({ table: '${name.replaceAll('-', '_')}_moved', columns: { n: 'UInt32', digit: 'UInt8' }, exactlyOnce: true }));
});

// Everything that waits for event time: windows, joins, tables, patterns.
export const timed = topology('${name}-timed', dead, (t) => {
  const clicks = t.source('clicks', { ...source(), outOfOrdernessMax: millis(10) });
  const key = (c: Click) => c.key;
  const rows = clicks.via('rows', window({
    key, window: hopping({ size: millis(200), every: millis(50) }), keysMax: 100, allowedLateness: millis(5),
    aggregate: { clicks: count(), size: sum((c) => c.size), p90: quantile((c) => c.size, 0.9) },
  }));
  const newest = rows
    .via('newest', map((row) => ({ key: row.key, value: { size: row.size, endMs: row.endMs } })))
    .via('table', table<{ size: number; endMs: number }>({ keysMax: 100 }));
  const known = clicks.via('as-it-was', { table: newest }, leftJoinTable({
    key: (c) => c.key, keysMax: 100, pendingMax: 1_000,
    combine: ({ n, key }, row) => ({ n, key, size: row?.size ?? -1, endMs: row?.endMs ?? -1 }),
  }));
  const pairs = clicks.via('pairs', { right: clicks }, innerJoin({
    keys: { left: key, right: key }, within: { before: millis(0), after: millis(60) }, entriesMax: 10_000,
    combine: (a, b) => ({ a: a.n, b: b.n }),
  }));
  const visits = clicks.via('visits', window({
    key, window: session({ gap: millis(24) }), emit: onInterval({ every: millis(20) }), allowedLateness: millis(20), keysMax: 100,
    aggregate: { clicks: count(), good: count((c) => (c.good ? 1 : null)) },
  }));
  const leaps = clicks.via('leaps', match({
    key, within: millis(300), runsMax: 10_000, pendingMax: 1_000,
    pattern: startsWith('small', (c: Click) => c.size < 20).followedBy('large', (c) => c.size > 80),
    select: ({ small, large }) => ({ small: small.n, large: large.n }),
  }));
  rows.to('rows-out', kafka.sink({ topic: '${name}.rows', schema: json() }));
  rows.to('rows-table', clickhouse.tableSink({ table: '${name.replaceAll('-', '_')}_rows', exactlyOnce: true,
    columns: { key: 'String', startMs: 'Int64', clicks: 'UInt32', size: 'UInt32' } }));
  known.to('known', clickhouse.tableSink({ table: '${name.replaceAll('-', '_')}_known', columns: { n: 'UInt32', size: 'Int32', endMs: 'Int64' } }));
  known.to('newest-known', redis.hashSink({ key: (k) => '${name}:known:' + k.key, ttl: hours(1) }));
  pairs.to('pairs-out', kafka.sink({ topic: '${name}.pairs', schema: json() }));
  visits.to('visits-out', kafka.sink({ topic: '${name}.visits', schema: json() }));
  leaps.to('leaps-out', kafka.sink({ topic: '${name}.leaps', schema: json() }));
});

// Outside of every cell: gone when the process dies.
let seen = 0;
export const forgetful = topology('${name}-forgetful', dead, (t) => {
  t.source('clicks', source()).via('count', map((c: Click) => ({ ...c, seen: ++seen }))).to('out', kafka.sink({ topic: '${name}.out', schema: json() }));
});

export const dice = topology('${name}-dice', dead, (t) => {
  t.source('clicks', source()).via('throw', map((c: Click) => ({ n: c.n, dice: Math.random() }))).to('out', kafka.sink({ topic: '${name}.out', schema: json() }));
});
`;

export interface Click {
  readonly n: number;
  readonly key: string;
  readonly size: number;
  readonly good: boolean;
}

/** Clicks, some of them twice. */
export const clicks = (count: number): Click[] =>
  Array.from({ length: count }, (_, at) => {
    const n = at % 50 === 49 ? at - 7 : at;
    return { n, key: `k${(n * 7) % 23}`, size: (n * 37) % 100, good: (n * 37) % 100 > 40 + ((n * 13) % 30) };
  });
