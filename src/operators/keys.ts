import type { Problem } from '../core/index.js';

/** Identity of a record, of a group, of a stratum. */
export type Key = string | number;

/** What is no identity: nothing, NaN, the empty text. */
export const isEmptyKey = (key: unknown): key is null | undefined | '' =>
  key === null || key === undefined || key === '' || Number.isNaN(key);

/** How an empty key reads in a dead letter. */
export const emptyKeyText = (key: unknown): string => `the key is ${key === '' ? 'empty' : key}`;

/** What is wrong with the bound of the keys that an operator keeps. */
export const keysMaxProblems = (keysMax: number): Problem[] =>
  keysMax >= 1 ? [] : [{ message: `keysMax is ${keysMax}`, hint: 'give the expected number of keys, with a margin' }];
