import {
  type Adds,
  type BatchedLogic,
  type Duration,
  type FeatureShape,
  type FeatureVector,
  type Free,
  MillraceError,
  type ModelHandle,
  type ModelSpec,
  type Operator,
  type Problem,
  RowFailure,
  type Settings,
  type StepContext,
} from '../core/index.js';
import { fieldAdder } from '../core/literals.js';

/** Where a model may run, in ONNX Runtime's words; which ones a machine has is found out when the model is loaded. */
export const providers = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml'] as const;
export type Provider = (typeof providers)[number];

/** A model's answer about one record. */
export interface Inferred {
  /** Probability of the positive class: the last number of the model's output row. */
  readonly score: number;
  /** SHA-256 of the model file that made the score. */
  readonly model: string;
  /** Which provider answered in place of the first declared one; `null` where that one did. */
  readonly degraded: string | null;
}

export interface InferOptions<As extends string> {
  /** The ONNX file: a path (relative to the working directory) or a URL, e.g. `new URL('risk.onnx', import.meta.url)`. */
  readonly model: string | URL;
  /** The field that is added. */
  readonly as: As;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /** How long rows may wait for more of them while the model is busy; an idle model starts at once. */
  readonly waitMax: Duration;
  /** In the order to try. */
  readonly providers: readonly Provider[];
  /** The view that makes `features`: a model that takes another number of features is refused before the first record. */
  readonly view?: { readonly name: string; readonly shape: FeatureShape };
}

/**
 * Scores the dense features of each record with an ONNX model, in micro-batches shared by all tasks of the process.
 *
 * Adds `{ score, model, degraded }` under `as` and keeps every field. The model takes one float32 input `[N, k]` and gives
 * float32 `[N, c]`; see `createInference` for what is checked when it is loaded.
 *
 * Guarantees: records leave in the order they came. On the CPU a score is a function of the record's features and the
 * model alone, bit for bit, so a replay repeats it; with any other provider a row's bits may depend on its batch, and on
 * which provider answered, so sinks outside the ledger's transaction are written after the checkpoint. A record that the model cannot score, or scores with a number that is
 * not finite, goes to the dead letters as `inference`; the others of its batch are answered.
 *
 * Errors: `MillraceError('model')` when the task opens (file missing, not a scoring model, no provider, width of the view),
 * and later where a record's features have another length than the model's input.
 *
 * Memory: the rows in flight, as float32.
 *
 * @example
 * scored.via('risk', infer({ model: 'models/risk.onnx', as: 'risk', batchMax: 256, waitMax: millis(5), providers: ['cuda', 'cpu'] }));
 */
export function infer<const As extends string>(
  options: InferOptions<As>,
): Operator<{ readonly features: FeatureVector } & Free<As>, Adds<{ readonly [K in As]: Inferred }>> {
  return {
    kind: 'infer',
    settings: settingsOf(options),
    problems: problemsOf(options),
    shape: {
      shape: 'batched',
      undecided: options.providers.some((provider) => provider !== 'cpu'),
      async open(context, { inference }) {
        const spec: ModelSpec = options;
        const model = await inference.open(spec);
        if (options.view !== undefined) checkWidth(options.view, model, context);
        return scorer(model, options.as, context);
      },
    },
  };
}

function scorer(model: ModelHandle, as: string, context: StepContext): BatchedLogic {
  const { outputSize, version } = model;
  const inputSize = widthOf(model);
  const withInferred = fieldAdder(as);

  return {
    async onBatch(values) {
      const rows = values as readonly { readonly features: FeatureVector }[];
      const { scores, failures, degraded } = await model.run(rows.length, (row, [into], place) => {
        const { dense, view } = (rows[row] as (typeof rows)[number]).features;
        if (dense.length !== inputSize) throw wrongWidth(context, `'${view}'`, dense.length, inputSize);
        // A loop: for rows of tens of numbers it beats `set`, which costs a call into the runtime.
        const at = place * inputSize;
        for (let i = 0; i < inputSize; i++) (into as Float32Array)[at + i] = dense[i] as number;
      });
      const answers = new Array<unknown>(rows.length);
      for (let row = 0; row < rows.length; row++) {
        const score = scores[(row + 1) * outputSize - 1] as number;
        const failure = failures.get(row) ?? (Number.isFinite(score) ? undefined : `the score is ${score}`);
        answers[row] =
          failure === undefined
            ? withInferred(rows[row], { score, model: version, degraded } satisfies Inferred)
            : new RowFailure('inference', failure);
      }
      return answers;
    },
    flush: () => model.flush(),
  };
}

function checkWidth(
  view: { readonly name: string; readonly shape: FeatureShape },
  model: ModelHandle,
  context: StepContext,
) {
  const { denseSize } = view.shape;
  const width = widthOf(model);
  if (denseSize !== width) throw wrongWidth(context, `'${view.name}'`, denseSize, width);
}

/** How many features a row has. */
const widthOf = ({ inputs }: ModelHandle): number => inputs[0]?.shape[0] ?? 0;

function wrongWidth({ step }: StepContext, view: string, denseSize: number, inputSize: number): MillraceError {
  return new MillraceError(
    'model',
    `the feature view ${view} makes ${denseSize} dense features, the model of step '${step}' takes ${inputSize}`,
    { where: step, hint: 'train the model again with this view, or give the step the view it was trained with' },
  );
}

function settingsOf({ model, as, batchMax, waitMax, providers }: InferOptions<string>): Settings {
  // Of a URL only the file's name: the rest differs from machine to machine, and descriptions are compared.
  const file = typeof model === 'string' ? model : (model.pathname.split('/').at(-1) ?? '');
  return { model: file, as, batchMax, waitMax, providers: providers.join(', ') };
}

function problemsOf({ batchMax, waitMax, providers: wanted }: InferOptions<string>): readonly Problem[] {
  const problems: Problem[] = [];
  if (!Number.isSafeInteger(batchMax) || batchMax < 1) {
    problems.push({
      message: `batchMax is ${batchMax}`,
      hint: 'give a number of rows, from 1; 256 suits small models',
    });
  }
  if (!(waitMax >= 0)) problems.push({ message: `waitMax is ${waitMax}`, hint: 'give a duration, e.g. millis(5)' });
  if (wanted.length === 0) problems.push({ message: 'no provider is declared', hint: "end the list with 'cpu'" });
  for (const provider of wanted) {
    if (providers.includes(provider)) continue;
    problems.push({ message: `there is no provider '${provider}'`, hint: `choose from ${providers.join(', ')}` });
  }
  return problems;
}
