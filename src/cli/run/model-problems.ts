import {
  type InferenceService,
  inferenceService,
  MillraceError,
  type Services,
  type StepContext,
} from '../../core/index.js';
import { checkWidth } from '../../operators/ml/infer-tensors.js';
import type { StepNode, Topology } from '../../topology/index.js';
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
    for (const step of topology.steps) {
      const { id, kind, shape, problems: own } = step;
      // Options that are wrong are known already.
      if (kind !== 'infer' || shape.shape !== 'batched' || own.length > 0) continue;
      try {
        const context = stepContext(topology.name, id);
        await shape.open(context, servicesOf(held(inference, viewBefore(topology, step), context)));
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

/** Kinds of steps that keep the features of a record. */
const keeping = new Set([
  'assignCluster',
  'dedupe',
  'detectAnomalies',
  'filter',
  'infer',
  'learn',
  'lookup',
  'peek',
  'sample',
  'stratify',
  'throttle',
  'undersample',
  'validate',
]);

/** The step that makes the features of a step's records, where nothing in between may change them. */
function viewBefore({ steps }: Pick<Topology, 'steps'>, { inputs: [wire] }: StepNode): StepNode | undefined {
  const before = steps.find(({ id }) => id === wire?.from);
  if (before?.kind === 'featurize') return before;
  return before && keeping.has(before.kind) ? viewBefore({ steps }, before) : undefined;
}

/** The service, which refuses a model of features where the view before it makes another number of them. */
const held = (inference: InferenceService, view: StepNode | undefined, context: StepContext): InferenceService => ({
  ...inference,
  async open(spec) {
    const handle = await inference.open(spec);
    if (view === undefined || spec.tensors?.inputs !== undefined) return handle;
    const { view: name, denseSize, hashedSize } = view.settings;
    const shape = { denseSize: Number(denseSize), hashedSize: Number(hashedSize) };
    checkWidth({ name: String(name), shape }, handle, context);
    return handle;
  },
});

const servicesOf = (inference: InferenceService): Services => ({
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
