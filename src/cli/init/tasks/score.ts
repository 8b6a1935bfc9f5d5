import { relative, resolve } from 'node:path';
import { type Imports, objectText, quoted } from '../code.js';
import type { Plan, ScoringModel } from '../plan.js';
import { freeName } from '../results.js';
import { denseFeatures, featureViewText } from './features.js';
import { columnOptions, columnsAdded } from './score-columns.js';
import { type Added, partOf, scored } from './scored.js';
import { INDENT, type TaskText } from './task-text.js';

/** What is kept of a model's answer. */
export const addedBy = ({ columns }: ScoringModel): readonly Added[] =>
  columns === undefined ? [partOf('score', 'number')] : columnsAdded(columns);

/** Scores with an ONNX file. */
export function scoreText(plan: Plan, imports: Imports): TaskText {
  imports.add('millrace', 'infer', 'millis');
  const { input, model, folder } = plan;
  if (model === undefined) throw new Error('a plan to score has a model');
  const as = freeName('inferred', input.shape.fields);
  const path = relative(resolve(folder), resolve(model.path)).replaceAll('\\', '/');
  const url = path.startsWith('.') ? path : `./${path}`;
  const inferText = (own: readonly [string, string][]) => {
    const options = objectText(
      [
        ['model', `new URL(${quoted(url)}, import.meta.url)`],
        ['as', quoted(as)],
        ...own,
        ['batchMax', '256'],
        ['waitMax', 'millis(5)'],
        ['providers', `['cpu']`],
      ],
      INDENT,
    );
    return `.via('model', infer(${options}))`;
  };
  if (model.columns !== undefined) {
    const steps = [inferText(columnOptions(plan, model.columns, imports))];
    return scored(plan, imports, { before: [], steps, as, adds: addedBy(model) });
  }
  const features = denseFeatures(plan, model.inputSize);
  if (features === undefined) throw new Error('a plan to score has a model that its records suffice for');
  imports.add('millrace', 'featurize');
  return scored(plan, imports, {
    before: [featureViewText(plan, features, imports)],
    steps: [`.via('features', featurize(features))`, inferText([['view', 'features']])],
    as,
    adds: addedBy(model),
  });
}
