import { type Imports, objectText, quoted } from '../code.js';
import type { Plan } from '../plan.js';
import { freeName } from '../results.js';
import { keyText, labelText, rowName } from '../samples/fields-text.js';
import { featuresOf, featureViewText } from './features.js';
import { partOf, scored } from './scored.js';
import { INDENT, type TaskText } from './task-text.js';

/** Predicts, and learns when the label comes. */
export function learnText(plan: Plan, imports: Imports): TaskText {
  imports.add('millrace', 'featurize', 'hours', 'learn');
  imports.add('millrace/ml', 'ftrl', 'logisticRegression');
  const { input, label, labels } = plan;
  if (label === undefined) throw new Error('a plan to learn has a label');
  const row = rowName(input);
  const speaker = labels ?? input;
  const labelRow = labels === undefined ? row : rowName(labels);
  const as = freeName('prediction', input.shape.fields);
  const view = featureViewText(plan, featuresOf(plan), imports);
  const options = objectText(
    [
      ['as', quoted(as)],
      ['view', 'features'],
      ['key', `(${row}) => ${keyText(row, { ...input.key, optional: false })}`],
      [
        'label',
        objectText(
          [
            [
              'key',
              `(${labelRow}) => ${keyText(labelRow, labels === undefined ? { ...input.key, optional: false } : speaker.key)}`,
            ],
            ['value', `(${labelRow}) => ${labelText(labelRow, label)}`],
            ['wait', 'hours(48)'],
          ],
          `${INDENT}  `,
        ),
      ],
      ['pendingMax', '100_000'],
      ['metricsInterval', 'hours(24)'],
    ],
    INDENT,
  );
  const model = `.via('model', { labels }, learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), ${options}))`;
  return scored(plan, imports, {
    before: [view],
    steps: [`.via('features', featurize(features))`, model],
    as,
    adds: [partOf('probability', 'number'), partOf('modelVersion', 'string')],
  });
}
