import { relative, resolve } from 'node:path';
import { type Imports, objectText, quoted } from '../code.js';
import type { Plan } from '../plan.js';
import { freeName } from '../results.js';
import { denseFeatures, featureViewText } from './features.js';
import { scored } from './scored.js';
import { INDENT, type TaskText } from './task-text.js';

/** Scores with an ONNX file. */
export function scoreText(plan: Plan, imports: Imports): TaskText {
  imports.add('millrace', 'featurize', 'infer', 'millis');
  const { input, model, folder } = plan;
  const features = model && denseFeatures(plan, model.inputSize);
  if (model === undefined || features === undefined)
    throw new Error('a plan to score has a model that its records suffice for');
  const as = freeName('inferred', input.shape.fields);
  const path = relative(resolve(folder), resolve(model.path)).replaceAll('\\', '/');
  const url = path.startsWith('.') ? path : `./${path}`;
  const view = featureViewText(plan, features, imports);
  const options = objectText(
    [
      ['model', `new URL(${quoted(url)}, import.meta.url)`],
      ['as', quoted(as)],
      ['view', 'features'],
      ['batchMax', '256'],
      ['waitMax', 'millis(5)'],
      ['providers', `['cpu']`],
    ],
    INDENT,
  );
  return scored(plan, imports, {
    before: [view],
    steps: [`.via('features', featurize(features))`, `.via('model', infer(${options}))`],
    as,
    adds: [['score', 'number']],
  });
}
