import type { Problem } from '../core/index.js';

/** Identity of a record, of a group, of a stratum. */
export type Key = string | number;

/** What is no identity: nothing, NaN, the empty text. */
export const isEmptyKey = (key: unknown): key is null | undefined | '' =>
  key === null || key === undefined || key === '' || Number.isNaN(key);

/** Whether a key is one: data may hold what its type does not say. Cells that keep keys as bytes take texts and numbers only. */
export const isKey = (key: unknown): key is Key => typeof key === 'string' || typeof key === 'number';

/** How an empty key reads in a dead letter. */
export const emptyKeyText = (key: unknown): string =>
  key === null || key === undefined || isKey(key)
    ? `the key is ${key === '' ? 'empty' : key}`
    : `the key is neither text nor number, but of type ${typeof key}`;

/** What is wrong with the bound of the keys that an operator keeps. */
export const keysMaxProblems = (keysMax: number): Problem[] =>
  keysMax >= 1 ? [] : [{ message: `keysMax is ${keysMax}`, hint: 'give the expected number of keys, with a margin' }];
