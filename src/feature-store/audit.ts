import type { ClickHouse } from '../../connectors/clickhouse/open.js';
import { denseColumns } from '../ml/features/feature-row.js';
import { type FeatureView, vectorDigest } from '../ml/features/index.js';
import { asOfSql, checkRows, FRESH, name } from './training-set.js';

export interface AuditOptions {
  readonly view: FeatureView;
  readonly table: string;
  /** A query with `entity`, `time` and `digest` of the features that a prediction was made from. */
  readonly predictions: string;
}

/** A prediction whose features are not those of the store. */
export interface Skew {
  readonly entity: string | null;
  readonly time: string | null;
  /** `missing`: the store has none by then, or the prediction names no entity or time; `different`: other numbers; `stale`: only such as the ttl forbids. */
  readonly kind: 'missing' | 'stale' | 'different';
  readonly logged: string | null;
  readonly stored: string | null;
  /** Event time of the stored row. */
  readonly featureTime: string | null;
}

export interface Audit {
  readonly predictions: number;
  readonly equal: number;
  readonly missing: number;
  readonly stale: number;
  readonly different: number;
  /** The first of each kind. */
  readonly samples: readonly Skew[];
}

interface Row {
  readonly entity: string | null;
  readonly time: string | null;
  readonly logged: string | null;
  readonly found: 0 | 1;
  readonly fresh: 0 | 1;
  readonly featureTime: string | null;
  /** The bits of the dense features. */
  readonly bits: readonly number[];
  readonly hashed: readonly number[];
}

/** Predictions are looked at in so many parts, by entity: what is in memory at a time. */
const PARTS = 16;
const SAMPLES_MAX = 10;

/**
 * Holds every logged prediction against the feature store: takes the features that the store says were known at that
 * time, computes their digest anew from the numbers, and compares it with the digest that the prediction carries. So it
 * finds whatever makes training data differ from what was served: another rounding, a late correction, a lost row.
 *
 * Memory: a sixteenth of the predictions at a time.
 */
export async function audit(
  profile: Pick<ClickHouse, 'query'>,
  { view, table, predictions }: AuditOptions,
): Promise<Audit> {
  const bits = denseColumns(view).map((column) => `reinterpretAsUInt32(toFloat32(ifNull(f.${name(column)}, 0)))`);
  const select = [
    'r.entity AS entity',
    'toString(r.time) AS time',
    'toString(r.digest) AS logged',
    'f.eventTime IS NOT NULL AS found',
    `ifNull(${FRESH}, 0) AS fresh`,
    'toString(f.eventTime) AS featureTime',
    `[${bits.join(', ')}]::Array(UInt32) AS bits`,
    view.hashedNames.length > 0 ? 'f.hashed AS hashed' : '[]::Array(UInt32) AS hashed',
  ];
  await checkRows(profile, predictions, ['digest']);
  const counts = { equal: 0, missing: 0, stale: 0, different: 0 };
  const samples: Skew[] = [];
  for (let part = 0; part < PARTS; part++) {
    const where = `cityHash64(ifNull(r.entity, '')) % ${PARTS} = ${part}`;
    const sql = asOfSql({ view, table, rows: predictions, select, where });
    for (const row of await profile.query<Row>(sql)) {
      const skew = compare(view, row);
      counts[skew?.kind ?? 'equal']++;
      if (skew && samples.filter(({ kind }) => kind === skew.kind).length < SAMPLES_MAX) samples.push(skew);
    }
  }
  return { predictions: counts.equal + counts.missing + counts.stale + counts.different, ...counts, samples };
}

function compare(view: FeatureView, row: Row): Skew | undefined {
  const { entity, time, logged, featureTime } = row;
  const about = { entity, time, logged, featureTime };
  if (!row.found) return { ...about, kind: 'missing', stored: null, featureTime: null };
  const dense = new Float32Array(Uint32Array.from(row.bits).buffer);
  const stored = vectorDigest({ hash: view.hash, dense, indices: Uint32Array.from(row.hashed) });
  if (!row.fresh) return { ...about, kind: 'stale', stored };
  return stored === logged ? undefined : { ...about, kind: 'different', stored };
}
