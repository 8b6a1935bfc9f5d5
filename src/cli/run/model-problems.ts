import { inferenceService, MillraceError, type Services, type StepContext } from '../../core/index.js';
import type { Topology } from '../../topology/index.js';
import type { CodedProblem } from './coded-problem.js';

export interface ModelFindings {
  readonly problems: readonly CodedProblem[];
  /** What a run survives, such as a provider that this machine does not have. */
  readonly warnings: readonly string[];
}

/**
 * Opens the models of each `infer` step as a run does: the file, its inputs and outputs, the width of the view, and the providers of this
 * machine. No record is scored but those of the warm-up. Steps whose options are wrong are left to `check`.
 */
export async function modelProblems(topology: Topology): Promise<ModelFindings> {
  const { createInference } = await import('../../inference/index.js');
  const problems: CodedProblem[] = [];
  const warnings: string[] = [];
  const inference = createInference({ onWarning: (message) => warnings.push(message) });
  try {
    for (const { id, kind, shape, problems: own } of topology.steps) {
      // Options that are wrong are known already.
      if (kind !== 'infer' || shape.shape !== 'batched' || own.length > 0) continue;
      try {
        await shape.open(stepContext(topology.name, id), servicesOf(inference));
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        problems.push({ code: error.code, where: id, message: error.message, hint: error.hint ?? '' });
      }
    }
  } finally {
    await inference.close();
  }
  return { problems, warnings };
}

const servicesOf = (inference: unknown): Services => ({
  progress: () => {},
  get<T>(service: { readonly name: string }): T {
    if (service.name === inferenceService.name) return inference as T;
    throw new MillraceError('config', `the service '${service.name}' is not there before a run`);
  },
});

/** No record comes, so nothing is counted or measured. */
const stepContext = (topology: string, step: string): StepContext => ({
  ...{ topology, step, task: 0, watermarkMs: Number.NEGATIVE_INFINITY },
  counter: () => ({ add: () => {} }),
  measure: () => {},
  deadLetter: () => {},
  fail(message, hint) {
    throw new MillraceError('step', message, { where: step, ...(hint === undefined ? {} : { hint }) });
  },
});
