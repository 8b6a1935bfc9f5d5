import type { Learner, Problem } from '../../../core/index.js';
import type { StatelessView } from '../../../ml/features/index.js';
import type { Key } from '../../keys.js';
import { type GroupUse, grouped } from './group-imputer.js';
import { computed, constant, type ImputerSpec, last, mean, median, mode } from './imputers.js';
import { model } from './model-imputer.js';
import { nearest } from './nearest-imputer.js';

/** Values that a median or mode looks back on, unless told otherwise; of one group; records that neighbours are sought in. */
const WINDOW = 1001;
const GROUP_WINDOW = 101;
const NEAREST_WINDOW = 501;
const NEIGHBORS = 5;
/** Values that a model learns from before it is asked. */
const WARM_UP = 100;

const WAYS = ['last', 'mean', 'median', 'mode', 'nearest', 'model'];

/** The value before any was seen; without one such a record goes to the dead letters. */
interface Fallback<V> {
  readonly fallback?: V;
}

/** By group: of a group not seen yet, as the values of all records say. */
type Grouped<T> =
  | { readonly by?: never; readonly groupsMax?: never }
  | {
      readonly by: (value: T) => Key | null | undefined;
      /** Groups held at most; the one that was written longest ago makes room. */
      readonly groupsMax: number;
    };

/** How many values it looks back on; 1,001 by default, 101 of each group. */
interface Windowed {
  readonly window?: number;
}

type NumberNames<T> = { [K in keyof T & string]: NonNullable<T[K]> extends number ? K : never }[keyof T & string];

/** What can be learnt of a field by a model: labels of the field's own kind. */
interface Modelled<V, T> extends Fallback<V> {
  readonly use: 'model';
  readonly learner: Learner<V, number>;
  /** What the model sees of a record; it must not look at the field itself. */
  readonly view: StatelessView<T>;
  /** Values that it learns from before it is asked; 100 by default. */
  readonly warmUp?: number;
}

/** How a field of numbers is filled in. */
type NumberRule<T> =
  | 'mean'
  | 'median'
  | ({ readonly use: 'mean' } & Grouped<T> & Fallback<number>)
  | ({ readonly use: 'median' } & Windowed & Grouped<T> & Fallback<number>)
  | ({
      readonly use: 'nearest';
      /** The fields that tell how near two records are. */
      readonly of: readonly NumberNames<T>[];
      /** How many of the nearest records count; 5 by default. */
      readonly neighbors?: number;
      /** How many records are kept; 501 by default. */
      readonly window?: number;
      /** Whether a field counts by its range in the window (the default), or as it is. */
      readonly scale?: 'range' | 'none';
    } & Fallback<number>)
  | Modelled<number, T>;

/** How one field is filled in. */
export type ImputeRule<V, T> =
  | 'last'
  | 'mode'
  | { readonly constant: V }
  | ({ readonly from: (value: T) => V | null | undefined } & Fallback<V>)
  | ({ readonly use: 'last' } & Grouped<T> & Fallback<V>)
  | ({ readonly use: 'mode' } & Windowed & Grouped<T> & Fallback<V>)
  | (V extends number ? NumberRule<T> : never)
  | (V extends boolean ? Modelled<boolean, T> : never);

/** A rule as it is at run time, its types already checked where it was written. */
export type AnyImputeRule =
  | GroupUse
  | {
      readonly constant?: unknown;
      readonly from?: (value: never) => unknown;
      readonly use?: GroupUse | 'nearest' | 'model';
      readonly fallback?: unknown;
      readonly window?: number;
      readonly by?: (value: never) => Key | null | undefined;
      readonly groupsMax?: number;
      readonly of?: readonly string[];
      readonly neighbors?: number;
      readonly scale?: 'range' | 'none';
      readonly learner?: Learner<never, number>;
      readonly view?: StatelessView<never>;
      readonly warmUp?: number;
    };

/** A rule resolved: its cells and logic, how it reads, what is wrong with it. */
export interface ParsedRule {
  readonly spec: ImputerSpec;
  readonly text: string;
  readonly fallback?: unknown;
  readonly problems: readonly Problem[];
}

export function parseRule(rule: AnyImputeRule): ParsedRule {
  if (typeof rule === 'string') return parseRule({ use: rule });
  const { fallback } = rule;
  const { spec, text, problems = [] } = wayOf(rule);
  const otherwise = fallback === undefined ? '' : `, else ${fallback}`;
  return { spec, text: `${text}${otherwise}`, problems, ...(fallback === undefined ? {} : { fallback }) };
}

interface Way {
  readonly spec: ImputerSpec;
  readonly text: string;
  readonly problems?: readonly Problem[];
}

function wayOf(rule: Exclude<AnyImputeRule, string>): Way {
  const { use, from, window, by, groupsMax = 0 } = rule;
  if (use !== undefined && !WAYS.includes(use)) {
    const hint = `use ${WAYS.join(', ')}, or give { constant } or { from }`;
    return { spec: constant(undefined), text: use, problems: [{ message: `there is no way '${use}'`, hint }] };
  }
  if (use === 'nearest') return nearestWay(rule);
  if (use === 'model') return modelWay(rule);
  if (use === undefined)
    return from
      ? { spec: computed(from), text: 'computed' }
      : { spec: constant(rule.constant), text: `constant ${rule.constant}` };
  const whole = overall(use, window ?? WINDOW);
  if (!by) return whole;
  const group = positive('window', window ?? GROUP_WINDOW);
  const groups = positive('groupsMax', groupsMax);
  return {
    spec: grouped(use, { by, groupsMax: groups.value, window: group.value }, whole.spec),
    text: `${use === 'median' || use === 'mode' ? `${use} of the last ${group.value}` : use} by group, of ${groupsMax}`,
    problems: [...group.problems, ...groups.problems],
  };
}

function overall(use: GroupUse, length: number): Way {
  if (use === 'last') return { spec: last(), text: 'last' };
  if (use === 'mean') return { spec: mean(), text: 'mean' };
  const { value, problems } = positive('window', length);
  return { spec: use === 'median' ? median(value) : mode(value), text: `${use} of the last ${length}`, problems };
}

function nearestWay({
  of = [],
  neighbors = NEIGHBORS,
  window = NEAREST_WINDOW,
  scale = 'range',
}: Exclude<AnyImputeRule, string>): Way {
  const length = positive('window', window);
  const none = { message: 'nearest: `of` is empty', hint: 'list the fields by which two records are compared' };
  return {
    spec: nearest({ of, neighbors, window: length.value, scale }),
    text: `mean of the ${neighbors} nearest of the last ${window} by ${of.join(', ')}${scale === 'none' ? ' as they are' : ''}`,
    problems: [...length.problems, ...positive('neighbors', neighbors).problems, ...(of.length > 0 ? [] : [none])],
  };
}

function modelWay({ learner, view, warmUp = WARM_UP }: Exclude<AnyImputeRule, string>): Way {
  if (!learner || !view)
    return {
      spec: constant(undefined),
      text: 'model',
      problems: [{ message: 'model: learner or view is missing', hint: 'give both' }],
    };
  return {
    spec: model({ learner, view, warmUp }),
    text: `${learner.kind} over ${view.name} ${view.hash} after ${warmUp}`,
    problems: positive('warmUp', warmUp).problems,
  };
}

function positive(name: string, value: number): { readonly value: number; readonly problems: readonly Problem[] } {
  if (Number.isInteger(value) && value >= 1) return { value, problems: [] };
  return { value: 1, problems: [{ message: `${name} is ${value}`, hint: `give \`${name}\` a positive integer` }] };
}
