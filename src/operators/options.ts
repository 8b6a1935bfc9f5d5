import type { Problem } from '../core/index.js';
import { unknownOptions } from '../core/options.js';
import { optionNames } from './option-names.js';
import { editDistance } from './quality/spelling/edit-distance.js';

const LETTERS_MAX = 2;

/** Options of an operator that there are not, for its `problems`. */
export function optionProblems(operator: string, options: object): Problem[] {
  const known = optionNames[operator]?.split(' ') ?? [];
  return unknownOptions(options, known, (name) => {
    const near = known.find((each) => editDistance([...each], [...name], LETTERS_MAX) <= LETTERS_MAX);
    return near === undefined ? '' : `did you mean ${near}? `;
  });
}
