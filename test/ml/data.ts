import { readFileSync } from 'node:fs';
import type { FeatureVector } from '../../src/core/index.js';
import { vector } from './support.js';

const linesOf = (file: string): string[] =>
  readFileSync(new URL(file, import.meta.url), 'utf8')
    .trim()
    .split('\n');

/**
 * The Website Phishing data set (R. Mohammad, UCI, CC BY 4.0) in the order in which River ships it: nine features of 0, 1/2 or 1 as
 * the digits 0 to 2, in the alphabetic order of their names, then the label.
 */
export const phishing: readonly { readonly features: FeatureVector; readonly label: boolean }[] = linesOf(
  'phishing.txt',
).map((line) => ({
  features: vector([...line.slice(0, 9)].map((digit) => Number(digit) / 2)),
  label: line[9] === '1',
}));

/**
 * Approval ratings by five polls and their date, in the alphabetic order of their names, then the rating by FiveThirtyEight (CC BY
 * 4.0), as River ships them, to six places.
 */
export const trumpApproval: readonly { readonly features: FeatureVector; readonly label: number }[] = linesOf(
  'trump-approval.txt',
).map((line) => {
  const numbers = line.split(' ').map(Number);
  return { features: vector(numbers.slice(0, 6)), label: numbers[6] as number };
});

/** Accuracy and F1 of the true class by progressive validation: each row is predicted, then learnt. */
export function progressive(
  model: {
    predictOne(features: FeatureVector): number | Float64Array;
    learnOne(features: FeatureVector, label: boolean): unknown;
  },
  rows = phishing,
): { readonly accuracy: number; readonly f1: number } {
  const counts = { right: 0, claims: 0, hits: 0 };
  for (const { features, label } of rows) {
    const prediction = model.predictOne(features);
    const probability = typeof prediction === 'number' ? prediction : (prediction[1] as number);
    const predicted = probability > 0.5;
    model.learnOne(features, label);
    if (predicted === label) counts.right += 1;
    if (predicted && label) counts.hits += 1;
    counts.claims += Number(predicted) + Number(label);
  }
  return { accuracy: counts.right / rows.length, f1: (2 * counts.hits) / counts.claims };
}
