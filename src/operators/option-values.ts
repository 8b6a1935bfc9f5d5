import type { Problem } from '../core/index.js';

/** The texts that an option may be, by operator and option. What is an object or a function is not judged here. */
const optionValues: Readonly<Record<string, readonly string[]>> = {
  'cleanText.form': ['NFC', 'NFKC'],
  'decodeImage.fit': ['cover', 'contain', 'fill'],
  'decodeImage.colour': ['rgb', 'grey'],
  'decodeImage.layout': ['nchw', 'nhwc'],
  'learn.label.late.act': ['score', 'learn', 'dead-letter'],
  'learn.label.missing.weighting': ['fake-negative'],
  'lookup.onMissing': ['dead-letter', 'fail'],
  'lookup.onFailure': ['wait', 'dead-letter', 'fail'],
  'match.skip': ['none', 'to-next', 'past-last'],
  'selectBySuccessiveHalving.label.late.act': ['score', 'learn', 'dead-letter'],
  'selectBySuccessiveHalving.label.missing.weighting': ['fake-negative'],
  'throttle.excess': ['dead-letter', 'drop'],
  'validateWindows.late': ['dead-letter', 'count'],
  'window.late': ['dead-letter', 'count'],
  'windowOfChanges.late': ['dead-letter', 'count'],
};

/** An option of an operator that is none of the texts it may be: JavaScript and casts pass whatever they like. */
export const valueProblems = (operator: string, option: string, value: unknown): Problem[] =>
  typeof value === 'object' || typeof value === 'function'
    ? []
    : choiceProblems(option, value, optionValues[`${operator}.${option}`]);

/** What is none of the texts to choose from; nothing is judged without them, and an option that is left out has its default. */
export function choiceProblems(name: string, value: unknown, choices: readonly string[] | undefined): Problem[] {
  if (choices === undefined || value === undefined || choices.some((choice) => choice === value)) return [];
  const given = typeof value === 'string' ? `'${value}'` : String(value);
  return [{ message: `${name} is ${given}`, hint: `choose from ${choices.join(', ')}` }];
}
