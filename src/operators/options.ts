import type { Problem } from '../core/index.js';
import { unknownOptions } from '../core/options.js';
import { optionNames } from './option-names.js';
import { editDistance } from './quality/spelling/edit-distance.js';

const LETTERS_MAX = 2;

/** Options of an operator that there are not, also in objects of options, for its `problems`. */
export function optionProblems(operator: string, options: object, within = ''): Problem[] {
  const known = (optionNames[operator]?.split(' ') ?? [])
    .filter((name) => name.startsWith(within))
    .map((name) => name.slice(within.length));
  const names = known.filter((name) => !name.includes('.'));
  const meant = (name: string) => {
    const near = names.find((each) => editDistance([...each], [...name], LETTERS_MAX) <= LETTERS_MAX);
    return near === undefined ? '' : `did you mean ${near}? `;
  };
  const inside = Object.entries(options).flatMap(([name, part]) => {
    const isObject = typeof part === 'object' && part !== null;
    return isObject && known.some((each) => each.startsWith(`${name}.`))
      ? optionProblems(operator, part, `${within}${name}.`)
      : [];
  });
  return [...unknownOptions(options, names, { within, meant }), ...inside];
}
