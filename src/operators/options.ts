import { MillraceError, type Problem } from '../core/index.js';
import { unknownOptions } from '../core/options.js';
import { optionNames } from './option-names.js';
import { valueProblems } from './option-values.js';
import { editDistance } from './quality/spelling/edit-distance.js';

const LETTERS_MAX = 2;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Options of an operator that there are not, or not with this value, also in objects of options, for its `problems`. */
export function optionProblems(operator: string, options: object, within = ''): Problem[] {
  const known = (optionNames[operator]?.split(' ') ?? [])
    .filter((name) => name.startsWith(within))
    .map((name) => name.slice(within.length));
  const names = known.filter((name) => !name.includes('.'));
  const near = (name: string) => names.find((each) => editDistance([...each], [...name], LETTERS_MAX) <= LETTERS_MAX);
  const inside = Object.entries(options).flatMap(([name, part]) => {
    const path = Array.isArray(part) ? `${name}[].` : `${name}.`;
    if (!known.some((each) => each.startsWith(path))) return [];
    return [part].flat().flatMap((each) => (isObject(each) ? optionProblems(operator, each, within + path) : []));
  });
  const values = Object.entries(options).flatMap(([name, value]) => valueProblems(operator, within + name, value));
  return [...unknownOptions(options, names, { within, near }), ...values, ...inside];
}

/**
 * Makes an operator from its options. Where that throws because a part of them is missing, the option that was misspelt is the cause.
 *
 * @throws MillraceError `config` that names it.
 */
export function fromOptions<O>(operator: string, options: object, make: () => O): O {
  try {
    return make();
  } catch (cause) {
    const [problem] = optionProblems(operator, options);
    if (problem === undefined) throw cause;
    const { message, hint } = problem;
    throw new MillraceError('config', `${operator}: ${message}`, { hint, cause });
  }
}
