import type { Duration } from '../../core/duration.js';
import { MillraceError } from '../../core/errors.js';
import type { FeatureShape, FeatureVector } from '../../core/learner.js';
import type { CellSpecs } from '../../core/state.js';
import type { ColumnValue, Feature } from './feature.js';
import type { OutcomeOptions } from './outcome.js';
import { openTracking, type TrackingCells, type TrackingLogic, trackingCells } from './outcome-tracking.js';
import { digestOf, layoutVersion, planView } from './plan.js';
import { openVectors } from './vectors.js';

interface ViewOptions<Row, K extends string> {
  readonly name: string;
  /** Raise it when the function of a column or an outcome value changes: the hash of the view does not include code. */
  readonly version: number;
  /** The inputs of features: functions of a row, computed once per row. */
  readonly columns: { readonly [P in K]: (row: Row) => ColumnValue };
  /** The hashed part has `2 ** hashBits` coordinates; 18 by default. */
  readonly hashBits?: number;
  /** The entity that the features describe, and the key of a row's entity. A feature store stores rows by it. */
  readonly entity?: { readonly name: string; readonly key: (row: Row) => string | number };
  /** How long after its event time a stored row may still be used. */
  readonly ttl?: Duration;
  readonly owner?: string;
  readonly description?: string;
}

/**
 * The features of a row, declared once for the stream (`featurize`), the training export and serving. It is frozen, inert data. Every vector,
 * prediction and model carries its `hash`.
 */
export interface FeatureView {
  readonly name: string;
  readonly version: number;
  /** Digest of names, kinds and options: equal for equal views on every machine. */
  readonly hash: string;
  readonly shape: FeatureShape;
  /** Names of the dense features, in order. */
  readonly denseNames: readonly string[];
  readonly hashedNames: readonly string[];
  readonly columnNames: readonly string[];
  /** Name of the entity. A view without one cannot be stored. */
  readonly entity: string | undefined;
  readonly ttl: Duration | undefined;
  readonly owner: string | undefined;
  readonly description: string | undefined;
}

/** The part of a view that depends on the type of the row. */
export interface EntityOf<in Row> {
  readonly entityOf: ((row: Row) => string | number) | undefined;
}

/** Whether a value, such as an export of a module, is a view. */
export const isFeatureView = (value: unknown): value is FeatureView =>
  typeof value === 'object' && value !== null && 'denseNames' in value && 'hashedNames' in value && 'hash' in value;

/** A view whose features depend on the row only. */
export interface StatelessView<in Row> extends FeatureView, EntityOf<Row> {
  readonly outcome: undefined;
  open(): VectorLogic<Row>;
}

/** A view with rolling features: it has state, and needs the outcomes as a further input. */
export interface OutcomeView<in Row, in Outcome> extends FeatureView, EntityOf<Row> {
  readonly outcome: Pick<OutcomeOptions<Row, Outcome, string>, 'key' | 'outcomeKey' | 'wait' | 'pendingMax'>;
  readonly cells: CellSpecs;
  open(cells: TrackingCells): TrackingLogic<Row, Outcome>;
}

/** Turns rows into vectors. */
export interface VectorLogic<in Row> {
  vector(row: Row): FeatureVector;
}

/**
 * Declares a feature view. Annotate the type of the rows in `columns`, and of the outcomes in `outcome`. Then the compiler checks the names
 * of columns and outcome values in the features.
 *
 * @example
 * const view = featureView({
 *   name: 'flights',
 *   version: 1,
 *   columns: { origin: (f: Flight) => f.origin, hour: (f: Flight) => hourOf(f), distance: (f: Flight) => f.distance },
 *   features: {
 *     distance: numeric('distance', { scale: 1_000 }),
 *     hour: cyclic('hour', 24),
 *     origin: hashed('origin'),
 *     originAtHour: hashed('origin', 'hour'),
 *   },
 * });
 *
 * Guarantees: a vector is a function of the row (and, with rolling features, of the outcomes that have arrived before it).
 * Memory: none without rolling features; with them the keys and groups of `pendingMax` rows, and `groupsMax` groups per column.
 * @throws MillraceError `config` if a feature uses a column or an outcome value that the view does not have
 */
export function featureView<Row, const K extends string, Outcome, const V extends string>(
  options: ViewOptions<Row, K> & {
    readonly outcome: OutcomeOptions<Row, Outcome, V>;
    readonly features: Readonly<Record<string, Feature<NoInfer<K>, NoInfer<V>>>>;
  },
): OutcomeView<Row, Outcome>;
export function featureView<Row, const K extends string>(
  options: ViewOptions<Row, K> & { readonly features: Readonly<Record<string, Feature<NoInfer<K>>>> },
): StatelessView<Row>;
export function featureView<Row, Outcome>(
  options: ViewOptions<Row, string> & {
    readonly outcome?: OutcomeOptions<Row, Outcome, string>;
    readonly features: Readonly<Record<string, Feature<string, string>>>;
  },
): StatelessView<Row> | OutcomeView<Row, Outcome> {
  const { name, version, columns, features, outcome, hashBits = 18, entity, ttl, owner, description } = options;
  const columnNames = Object.keys(columns);
  const valueNames = outcome ? Object.keys(outcome.values) : [];
  if (!Number.isInteger(hashBits) || hashBits < 1 || hashBits > 30) {
    throw new MillraceError('config', `hashBits is ${hashBits}`, {
      where: name,
      hint: 'give a whole number from 1 to 30',
    });
  }
  const plan = planView(name, features, columnNames, valueNames, hashBits);
  if (outcome && plan.groups.length === 0) {
    throw new MillraceError('config', 'the view has an outcome but no rolling feature', {
      where: name,
      hint: 'add a rolling feature, or leave the outcome out so that the view needs no state',
    });
  }
  const hash = digestOf([
    name,
    version,
    plan.shape,
    columnNames,
    valueNames,
    outcome?.wait ?? 0,
    Object.entries(features),
  ]);
  const facts = {
    name,
    version,
    hash,
    shape: Object.freeze({
      ...plan.shape,
      ...(plan.categories.length > 0 ? { categories: plan.categories } : {}),
      layout: layoutVersion(hash),
    }),
    denseNames: Object.freeze(plan.denseNames),
    hashedNames: Object.freeze(plan.hashedNames),
    columnNames: Object.freeze(columnNames),
    entity: entity?.name,
    entityOf: entity?.key,
    ttl,
    owner,
    description,
  };
  const functions = columnNames.map((column) => columns[column] as (row: Row) => ColumnValue);
  const vectors = () => openVectors(name, hash, plan, functions);
  if (!outcome) {
    return Object.freeze({
      ...facts,
      outcome: undefined,
      open: () => {
        const maker = vectors();
        return { vector: (row: Row) => maker.make(maker.columnsOf(row)) };
      },
    });
  }
  const { key, outcomeKey, wait, pendingMax } = outcome;
  return Object.freeze({
    ...facts,
    outcome: Object.freeze({ key, outcomeKey, wait, pendingMax }),
    cells: trackingCells(plan, outcome),
    open: (cells: TrackingCells) => openTracking(plan, outcome, vectors(), cells),
  });
}
