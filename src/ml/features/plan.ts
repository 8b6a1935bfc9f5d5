import { createHash } from 'node:crypto';
import { MillraceError } from '../../core/errors.js';
import type { CategoryPlaces, FeatureShape } from '../../core/learner.js';
import type { DenseFeature, Feature, RollingFeature } from './feature.js';
import { type GroupPlan, layoutOf, planGroup } from './group-means.js';
import { hashString } from './hash.js';

type AnyFeature = Feature<string, string>;

/** A dense feature at its place. */
export interface PlacedDense {
  readonly column: number;
  readonly at: number;
  readonly encode: DenseFeature<string>['encode'];
}

/** A hashed feature: its salt and the columns that go into its hash. */
export interface PlacedHashed {
  readonly salt: number;
  readonly columns: readonly number[];
}

/** The rolling features of one grouping. */
export interface PlacedGroup {
  /** -1 for the whole task. */
  readonly column: number;
  readonly cell: string;
  readonly plan: GroupPlan;
  /** Version of the cell's layout. */
  readonly version: number;
}

/** Where every feature of a view lies: the declarations resolved to places once, so that a row costs only loops. */
export interface ViewPlan {
  readonly shape: FeatureShape;
  readonly dense: readonly PlacedDense[];
  readonly hashed: readonly PlacedHashed[];
  readonly groups: readonly PlacedGroup[];
  readonly denseNames: readonly string[];
  readonly hashedNames: readonly string[];
  /** The features that are one category each. */
  readonly categories: readonly CategoryPlaces[];
}

/** Kinds of dense features of which exactly one place, or none, is 1. */
const CATEGORIES: ReadonlySet<string> = new Set(['one-hot', 'bucket']);

/** Lays out a view's features: the dense ones in the order declared, hashed ones beside them. */
export function planView(
  view: string,
  features: Readonly<Record<string, AnyFeature>>,
  columns: readonly string[],
  valueNames: readonly string[],
  hashBits: number,
): ViewPlan {
  const place = (feature: string, column: string): number => {
    const index = columns.indexOf(column);
    if (index < 0)
      throw problem(view, `feature ${feature} needs the column ${column}`, `the view has ${columns.join(', ')}`);
    return index;
  };
  const dense: PlacedDense[] = [];
  const hashed: PlacedHashed[] = [];
  const rolling = new Map<number, { feature: RollingFeature<string, string>; at: number }[]>();
  const denseNames: string[] = [];
  const hashedNames: string[] = [];
  const categories: CategoryPlaces[] = [];

  for (const [name, feature] of Object.entries(features)) {
    if (feature.part === 'hashed') {
      hashed.push({ salt: hashString(name), columns: feature.columns.map((column) => place(name, column)) });
      hashedNames.push(name);
      continue;
    }
    const at = denseNames.length;
    if (feature.part === 'dense') {
      dense.push({ column: place(name, feature.column), at, encode: feature.encode });
      denseNames.push(...namesOf(name, feature.width));
      if (CATEGORIES.has(feature.kind)) categories.push({ at, size: feature.width });
      continue;
    }
    if (!valueNames.includes(feature.value)) {
      throw problem(view, `feature ${name} needs the outcome value ${feature.value}`, 'declare it in outcome.values');
    }
    const column = feature.by === undefined ? -1 : place(name, feature.by);
    const group = rolling.get(column);
    if (group) group.push({ feature, at });
    else rolling.set(column, [{ feature, at }]);
    denseNames.push(name);
  }

  const groups = [...rolling].map(([column, members]): PlacedGroup => {
    const plan = planGroup(members, valueNames);
    const cell = column < 0 ? 'task' : `by-${columns[column]}`;
    return { column, cell, plan, version: layoutVersion([layoutOf(plan), valueNames]) };
  });
  const hashedSize = hashed.length === 0 ? 0 : 2 ** hashBits;
  const shape = { denseSize: denseNames.length, hashedSize };
  return { shape, dense, hashed, groups, denseNames, hashedNames, categories };
}

const namesOf = (name: string, width: number): string[] =>
  width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name}.${i}`);

const problem = (view: string, message: string, hint: string) =>
  new MillraceError('config', message, { where: view, hint });

/** A version number for state whose layout follows from declarations: the digest of what it follows from. */
export const layoutVersion = (layout: unknown): number => Number.parseInt(digestOf(layout).slice(0, 7), 16) + 1;

/** SHA-256 of a value's JSON text, 16 hexadecimal digits: equal on every machine. */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
