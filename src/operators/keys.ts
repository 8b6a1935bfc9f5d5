import type { Problem } from '../core/index.js';

/** Identity of a record, of a group, of a stratum. */
export type Key = string | number;

/**
 * What is no identity: nothing, NaN, the empty text, and what is neither text nor number. An object is equal to its like
 * neither in memory nor after a restart, and cells do not store bigints. `true` and `false` are as good as texts.
 */
export const isEmptyKey = (key: unknown): key is null | undefined | '' =>
  typeof key === 'string' ? key === '' : typeof key === 'number' ? Number.isNaN(key) : typeof key !== 'boolean';

/** Whether a key is one: data may hold what its type does not say. Cells that keep keys as bytes take texts and numbers only. */
export const isKey = (key: unknown): key is Key => typeof key === 'string' || typeof key === 'number';

/** How an empty key reads in a dead letter. */
export const emptyKeyText = (key: unknown, name = 'key'): string =>
  key === null || key === undefined || isKey(key)
    ? `the ${name} is ${key === '' ? 'empty' : key}`
    : `the ${name} is neither text nor number, but of type ${typeof key}`;

/** What is wrong with the bound of the keys that an operator keeps. */
export const keysMaxProblems = (keysMax: number): Problem[] =>
  keysMax >= 1 ? [] : [{ message: `keysMax is ${keysMax}`, hint: 'give the expected number of keys, with a margin' }];
