import type { Problem } from '../../core/index.js';
import { choiceProblems } from '../option-values.js';
import { Spelling } from './spelling/spelling.js';

type Name<T> = keyof T & string;
type TextName<T> = {
  [K in Name<T>]: NonNullable<T[K]> extends string ? (string extends NonNullable<T[K]> ? K : never) : never;
}[Name<T>];
type NumberName<T> = { [K in Name<T>]: NonNullable<T[K]> extends number ? K : never }[Name<T>];

type Fields = Readonly<Record<string, unknown>>;

/** The conversion of a number to the wanted unit: a factor, or a function (for temperatures, for example). */
export type Conversion = number | ((value: number) => number);

/** The field that names the unit, the wanted unit, and the conversions from others. */
export interface UnitOptions<U extends string> {
  /** The field that names the unit. */
  readonly unit: U;
  /** The wanted unit. The field is set to it. */
  readonly to: string;
  /** Conversions by the names of other units. A value in an unknown unit is not changed. */
  readonly from: Readonly<Record<string, Conversion>>;
}

/** The valid range of a number, and the conversions that may bring it there. */
export interface RangeOptions {
  /** The bounds of a number in the right unit. */
  readonly min: number;
  readonly max: number;
  /** Conversions for a number outside of the bounds. If not exactly one brings it inside, it is not changed. */
  readonly conversions: Readonly<Record<string, Conversion>>;
}

/** The maximum distance of a misspelled text from a known one. */
export interface SpellingOptions {
  /** The number of inserted, deleted, replaced or transposed letters; usually 1 or 2. */
  readonly distanceMax: number;
  /** Shorter texts are not changed; 4 letters by default. */
  readonly lengthMin?: number;
}

/** A rule: returns the fields that it changes, or `undefined` for none. */
export interface RepairRule {
  /** Its name in the trail: `aliases`, or the name of your own rule. */
  readonly name: string;
  readonly field: string;
  readonly text: string;
  readonly problems: readonly Problem[];
  open(): (record: Fields) => Fields | undefined;
}

declare const REPAIRED: unique symbol;

/**
 * Rules that repair fields of a record, as inert data: every method returns a new value with one more rule. They are applied in the order of
 * the calls, each to the result of the one before. Missing values (null or undefined) are not changed; `impute` fills them in.
 */
export interface Repairs<T> {
  readonly rules: readonly RepairRule[];
  /** Removes white space at both ends, and replaces each run inside by one space. */
  trim(field: TextName<T>): Repairs<T>;
  case(field: TextName<T>, to: 'lower' | 'upper'): Repairs<T>;
  /** Replaces a whole text on the left by the one on the right. Upper and lower case matter. */
  aliases(field: TextName<T>, synonyms: Readonly<Record<string, string>>): Repairs<T>;
  /** Replaces a text by the word that is nearest (Damerau-Levenshtein), if there is only one. */
  spelling(field: TextName<T>, words: readonly string[], options: SpellingOptions): Repairs<T>;
  /** Converts a number whose unit is in another field, and sets that field to the new unit. */
  unit<U extends TextName<T>>(field: NumberName<T>, options: UnitOptions<U>): Repairs<T>;
  /** Converts a number outside of its range by the only conversion that brings it inside. */
  rescale(field: NumberName<T>, options: RangeOptions): Repairs<T>;
  /** Your own rule: returns the new value, or the same one. It must depend on its arguments only. */
  custom<K extends Name<T>>(field: K, name: string, repair: (value: NonNullable<T[K]>, record: T) => T[K]): Repairs<T>;
  readonly [REPAIRED]?: ((value: T) => void) | undefined;
}

/**
 * Begins a list of rules for `repair`.
 *
 * @example
 * const readingRepairs = repairs<Reading>()
 *   .trim('station')
 *   .aliases('station', { NYC: 'New York' })
 *   .spelling('station', stations, { distanceMax: 2 })
 *   .unit('temperature', { unit: 'scale', to: 'C', from: { F: (f) => (f - 32) / 1.8, K: (k) => k - 273.15 } })
 *   .rescale('pressure', { min: 870, max: 1_085, conversions: { kPa: 10, inHg: 33.8639 } });
 */
export const repairs = <T>(): Repairs<T> => new RuleList<T>([]);

class RuleList<T> implements Repairs<T> {
  constructor(readonly rules: readonly RepairRule[]) {
    Object.freeze(rules);
    Object.freeze(this);
  }

  trim(field: TextName<T>): Repairs<T> {
    return this.withText(field, 'trim', () => (text) => text.trim().replaceAll(/\s+/g, ' '));
  }

  case(field: TextName<T>, to: 'lower' | 'upper'): Repairs<T> {
    const problems = choiceProblems(`${field}: case`, String(to), ['lower', 'upper']);
    const change = (text: string) => (to === 'lower' ? text.toLowerCase() : text.toUpperCase());
    return this.withText(field, 'case', () => change, problems);
  }

  aliases(field: TextName<T>, synonyms: Readonly<Record<string, string>>): Repairs<T> {
    const meanings = new Map(Object.entries(synonyms));
    const problems = meanings.size > 0 ? [] : [{ message: `no aliases of ${field}`, hint: 'name at least one' }];
    return this.withText(field, 'aliases', () => (text) => meanings.get(text) ?? text, problems);
  }

  spelling(field: TextName<T>, words: readonly string[], { distanceMax, lengthMin = 4 }: SpellingOptions): Repairs<T> {
    const problems: Problem[] = [];
    if (words.length === 0)
      problems.push({ message: `no words for ${field}`, hint: 'give the words as they should be' });
    if (!Number.isSafeInteger(distanceMax) || distanceMax < 1)
      problems.push({
        message: `distanceMax is ${distanceMax}`,
        hint: 'give a whole number from 1; 2 suits words of ten letters',
      });
    return this.withText(
      field,
      'spelling',
      () => {
        const spelling = new Spelling(words, distanceMax, lengthMin);
        return (text) => spelling.meant(text) ?? text;
      },
      problems,
    );
  }

  unit<U extends TextName<T>>(field: NumberName<T>, { unit, to, from }: UnitOptions<U>): Repairs<T> {
    const conversions = new Map(Object.entries(from));
    const problems = conversions.has(to)
      ? [{ message: `${field}: ${to} is converted to itself`, hint: 'name the other units only' }]
      : [];
    return this.with({
      name: 'unit',
      field,
      text: `${field}: unit`,
      problems,
      open: () => (record) => {
        const [value, named] = [record[field], record[unit]];
        const conversion = typeof named === 'string' ? conversions.get(named) : undefined;
        if (conversion === undefined || typeof value !== 'number') return undefined;
        return { [field]: converted(value, conversion), [unit]: to };
      },
    });
  }

  rescale(field: NumberName<T>, { min, max, conversions }: RangeOptions): Repairs<T> {
    const all = Object.values(conversions);
    const problems =
      min <= max ? [] : [{ message: `${field}: the range is ${min} to ${max}`, hint: 'give min below max' }];
    const isInside = (value: number) => value >= min && value <= max;
    return this.with({
      name: 'rescale',
      field,
      text: `${field}: rescale`,
      problems,
      open: () => (record) => {
        const value = record[field];
        if (typeof value !== 'number' || isInside(value)) return undefined;
        const inside = all.map((conversion) => converted(value, conversion)).filter(isInside);
        return inside.length === 1 ? { [field]: inside[0] } : undefined;
      },
    });
  }

  custom<K extends Name<T>>(field: K, name: string, repair: (value: NonNullable<T[K]>, record: T) => T[K]): Repairs<T> {
    return this.with({
      name,
      field,
      text: `${field}: ${name}`,
      problems: [],
      open: () => (record) => {
        const value = record[field];
        if (value === null || value === undefined) return undefined;
        return { [field]: repair(value as NonNullable<T[K]>, record as T) };
      },
    });
  }

  private withText(
    field: string,
    name: string,
    open: () => (text: string) => string,
    problems: readonly Problem[] = [],
  ): Repairs<T> {
    return this.with({
      name,
      field,
      text: `${field}: ${name}`,
      problems,
      open: () => {
        const repair = open();
        return (record) => {
          const text = record[field];
          return typeof text === 'string' ? { [field]: repair(text) } : undefined;
        };
      },
    });
  }

  private with(rule: RepairRule): Repairs<T> {
    return new RuleList<T>([...this.rules, Object.freeze(rule)]);
  }
}

const converted = (value: number, conversion: Conversion): number =>
  typeof conversion === 'number' ? value * conversion : conversion(value);
