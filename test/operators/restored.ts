import { type Driven, type DrivenInput, DrivenStep } from '../../src/testing/drive-operator.js';

/** Opens a step with the state that another operator has after the samples: what a change under the same step id does. */
export function openAfter(before: Driven, samples: readonly DrivenInput[], after: Driven): DrivenStep {
  const step = new DrivenStep(before);
  for (const sample of samples) step.push(sample);
  return new DrivenStep(after, samples.length, step.takeChanges());
}
