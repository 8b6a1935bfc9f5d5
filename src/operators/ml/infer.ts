import {
  type Adds,
  type BatchedLogic,
  type FeatureShape,
  type FeatureVector,
  type Free,
  inferenceService,
  MillraceError,
  type ModelHandle,
  type Operator,
  RowFailure,
  type StepContext,
} from '../../core/index.js';
import { fieldAdder } from '../../util/literals.js';
import { type InferredVector, type InferVectorsOptions, inferVectors } from './infer-vectors.js';
import { isNondeterministic, type ModelOptions, modelProblems, modelSettings } from './model-options.js';

/** A model's answer about one record. */
export interface Inferred {
  /** Probability of the positive class: the last number of the model's output row. */
  readonly score: number;
  /** SHA-256 of the model file that made the score. */
  readonly model: string;
  /** Which provider answered in place of the first declared one; `null` where that one did. */
  readonly degraded: string | null;
}

/** Which model `infer` asks, how it makes batches, and under which name it adds the score. */
export interface InferOptions<As extends string> extends ModelOptions<As> {
  /** The view that makes `features`: a model that takes another number of features is refused before the first record. */
  readonly view?: { readonly name: string; readonly shape: FeatureShape };
}

/**
 * Runs an ONNX model on each record, in micro-batches shared by all tasks of the process.
 *
 * Without `inputs` it scores the dense `features` of the record: adds `{ score, model, degraded }` under `as`. The model takes
 * one float32 input `[N, k]` and gives float32 `[N, c]`.
 *
 * With `inputs` it takes tensors, of images or texts for example: adds `{ vector, model, degraded }`. Axes of varying length
 * have one of the declared `lengths`, and only rows of one length share a batch; so what a text is padded to, which may
 * change its last bits, depends on the text alone. With `pooling` the vectors of its positions become one.
 *
 * Every field is kept. See `createInference` for what is checked when a model is loaded.
 *
 * Guarantees: records leave in the order they came. On the CPU what is added is a function of the record and the
 * model alone, bit for bit, so a replay repeats it; with any other provider a row's bits may depend on its batch, and on
 * which provider answered, so sinks outside the ledger's transaction are written after the checkpoint. A record that the
 * model cannot take, or answers with a number that is not finite, goes to the dead letters as `inference`, and so does a
 * length that is not declared; the others of its batch are answered.
 *
 * Errors: `MillraceError('model')` when the task opens (file missing, other inputs or outputs, no provider, width of the view),
 * and later where a record's features have another length, or its tensors another type or shape, than the model's input.
 * `MillraceError('inference')` where the workers that run the model are lost again and again; the task is restored then.
 *
 * Memory: the rows in flight, as the model takes them; idle buffers of four batches.
 *
 * @example
 * scored.via('risk', infer({ model: 'models/risk.onnx', as: 'risk', batchMax: 256, waitMax: millis(5), providers: ['cuda', 'cpu'] }));
 *
 * @example
 * texts.via('embedding', infer({
 *   model: 'models/sentences.onnx', as: 'embedding', lengths: [32, 64, 128],
 *   inputs: { input_ids: (t) => t.tokens.inputIds, attention_mask: (t) => t.tokens.attentionMask },
 *   pooling: { mean: 'attention_mask' }, normalize: true,
 *   batchMax: 32, waitMax: millis(5), providers: ['cpu'],
 * }));
 */
export function infer<T, const As extends string, Name extends string>(
  options: InferVectorsOptions<T, As, Name>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: InferredVector }>>;
export function infer<const As extends string>(
  options: InferOptions<As>,
): Operator<{ readonly features: FeatureVector } & Free<As>, Adds<{ readonly [K in As]: Inferred }>>;
export function infer(
  options: InferOptions<string> | InferVectorsOptions<never, string, string>,
): Operator<never, Adds<object>> {
  return 'inputs' in options ? inferVectors(options) : inferScores(options);
}

function inferScores<const As extends string>(
  options: InferOptions<As>,
): Operator<{ readonly features: FeatureVector } & Free<As>, Adds<{ readonly [K in As]: Inferred }>> {
  return {
    kind: 'infer',
    settings: modelSettings(options),
    problems: modelProblems(options),
    shape: {
      shape: 'batched',
      nondeterministic: isNondeterministic(options),
      async open(context, services) {
        const { model, batchMax, waitMax, providers } = options;
        const handle = await services.get(inferenceService).open({ model, batchMax, waitMax, providers });
        if (options.view !== undefined) checkWidth(options.view, handle, context);
        return scorer(handle, options.as, context);
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
      const { scores, failures, degraded } = await model.run(rows.length, (row, into, place) => {
        const { dense, view } = (rows[row] as (typeof rows)[number]).features;
        if (dense.length !== inputSize) throw wrongWidth(context, `'${view}'`, dense.length, inputSize);
        // A loop: for rows of tens of numbers it beats `set`, which costs a call into the runtime.
        const numbers = into[0] as Float32Array;
        const at = place * inputSize;
        for (let i = 0; i < inputSize; i++) numbers[at + i] = dense[i] as number;
      });
      const answers = new Array<unknown>(rows.length);
      for (let row = 0; row < rows.length; row++) {
        const score = scores[(row + 1) * outputSize - 1] as number;
        const failure = failures.get(row) ?? (Number.isFinite(score) ? undefined : `the score is ${score}`);
        answers[row] =
          failure === undefined
            ? withInferred(rows[row], {
                score,
                model: version,
                degraded: degraded[row] as string | null,
              } satisfies Inferred)
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
