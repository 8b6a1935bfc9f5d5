import { MillraceError, type Problem } from '../core/index.js';
import { oncePerMistake, shownWrong, unknownOptions } from '../core/options.js';
import { functionProblems } from './functions.js';
import { optionKinds } from './option-kinds.js';
import { valueProblems } from './option-values.js';
import { editDistance } from './quality/spelling/edit-distance.js';

const LETTERS_MAX = 2;

/** The names and kinds of the options in an object of options, by its path: `''` is the operator's own, `cache.` one inside. */
function kindsAt(operator: string, path: string): Map<string, string> {
  const options = Object.entries(optionKinds[operator] ?? {});
  const within = options.flatMap(([name, kind]) =>
    name.startsWith(path) ? [[name.slice(path.length), kind] as const] : [],
  );
  return new Map(within.filter(([name]) => !name.includes('.')));
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** An object of options, its path and what it may hold. */
type Level = readonly [path: string, options: object, kinds: ReadonlyMap<string, string>];

/** An operator's options, and the objects of options in them. */
function levelsOf(operator: string, options: object, path = ''): Level[] {
  const kinds = kindsAt(operator, path);
  if (kinds.size === 0) return [];
  const inside = Object.entries(options).flatMap(([name, part]) => {
    const below = `${path}${name}${Array.isArray(part) ? '[]' : ''}.`;
    return [part].flat().flatMap((each) => (isObject(each) ? levelsOf(operator, each, below) : []));
  });
  return [[path, options, kinds], ...inside];
}

/** What is wrong with options: those that there are not, also in objects of options, wrong values and kinds, missing ones. */
export const optionProblems = (operator: string, options: object): Problem[] =>
  levelsOf(operator, options).flatMap((level) => {
    const [path, given, kinds] = level;
    const names = [...kinds.keys()];
    const near = (name: string) => names.find((each) => editDistance([...each], [...name], LETTERS_MAX) <= LETTERS_MAX);
    const values = Object.entries(given).flatMap(([name, value]) => valueProblems(operator, path + name, value));
    return [...unknownOptions(given, names, { within: path, near }), ...values, ...kindProblems(operator, level)];
  });

const kindProblems = (operator: string, [path, options, kinds]: Level): Problem[] => {
  const given = options as Readonly<Record<string, unknown>>;
  return [...kinds].flatMap(([name, kind]) => {
    const inside = [...kindsAt(operator, `${path}${name}.`).keys()];
    return kindProblem(path + name, kind, given[name], inside);
  });
};

const accepts: Readonly<Record<string, (value: unknown) => boolean>> = {
  any: (value) => value !== null,
  boolean: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value) || ArrayBuffer.isView(value),
  object: (value) => isObject(value) && !Array.isArray(value),
  text: (value) => typeof value === 'string',
};

/** How a value of a type is made, or one of an option that takes several types. */
const examples: Readonly<Record<string, string>> = {
  Calibrator: 'isotonic()',
  DriftDetector: 'adwin()',
  FeatureView: 'featureView({ ... })',
  Lookup: 'redis.hashLookup()',
  Pattern: "startsWith('first', (order) => order.amount > 0)",
  SlicedSpec: 'tumbling(hours(1))',
  WindowExpectations: 'windowExpectations()',
  WindowSpec: 'tumbling(hours(1))',
  'drift.act': "'event'",
  'label.late.act': "'score'",
  model: "new URL('risk.onnx', import.meta.url)",
  reference: '{ last: days(28) }',
  tokenizer: "new URL('tokenizer.json', import.meta.url)",
  within: '{ before: minutes(0), after: hours(1) }',
};

/** Numbers are not judged here: each has a bound of its own. */
function kindProblem(name: string, kindOrLeftOut: string, value: unknown, inside: readonly string[]): Problem[] {
  const kind = kindOrLeftOut.replace('?', '');
  if (kind === 'number' || (value === undefined && kind !== kindOrLeftOut)) return [];
  if (kind === 'function') return functionProblems({ [name]: value });
  const fits = accepts[kind] ?? accepts.object;
  if (value !== undefined && fits?.(value)) return [];
  const hint = `give ${name}${kind === 'any' ? '' : ` ${wanted(kind, inside)}`}${exampleOf(kind, name)}`;
  return [{ message: `${name} is ${value === undefined ? 'missing' : shownWrong(value)}`, hint }];
}

const wanted = (kind: string, inside: readonly string[]): string =>
  `${kind === 'object' ? 'an' : 'a'} ${kind}${inside.length === 0 ? '' : ` with ${inside.join(', ')}`}`;

function exampleOf(kind: string, name: string): string {
  const example = examples[kind] ?? examples[name] ?? examples[name.slice(name.lastIndexOf('.') + 1)];
  return example === undefined ? '' : `, such as ${example}`;
}

/**
 * Refuses options of which a part is missing or of another kind, before an operator takes them apart. Types say so first: JavaScript
 * and files that run unchecked have none.
 *
 * @throws MillraceError `config` that names the first of them, or the misspelt one that stands for it.
 */
export function requireOptions(operator: string, options: object): void {
  const given = Object(options);
  if (levelsOf(operator, given).every((level) => kindProblems(operator, level).length === 0)) return;
  const [problem] = oncePerMistake(optionProblems(operator, given));
  if (problem === undefined) return;
  throw new MillraceError('config', `${operator}: ${problem.message}`, { hint: problem.hint });
}
