import {
  type Adds,
  type BatchedLogic,
  type FallbackReason,
  type FeatureVector,
  type FillRow,
  type Free,
  inferenceService,
  MillraceError,
  type ModelHandle,
  type ModelSpec,
  makeOfEach,
  type Operator,
  type Origin,
  type Problem,
  type Provider,
  type ProviderOptions,
  RowFailure,
  type RunResult,
  type Settings,
  type StepContext,
} from '../../core/index.js';
import type { FeatureView } from '../../ml/features/index.js';
import { fieldAdder } from '../../util/literals.js';
import { optionProblems, requireOptions } from '../options.js';
import {
  type InferOutputsOptions,
  type InferredOutputs,
  type InferTensorsOptions,
  inferOutputs,
  type OutputDeclaration,
} from './infer-outputs.js';
import { checkWidth, widthOf, wrongWidth } from './infer-tensors.js';
import { type InferredVector, type InferVectorsOptions, inferVectors } from './infer-vectors.js';
import { type LastScore, lastScores } from './last-scores.js';
import {
  addressProblems,
  type FallbackModel,
  fileName,
  inPlaceOf,
  isNondeterministic,
  isOnCpu,
  lagOf,
  type ModelOptions,
  modelProblems,
  modelSettings,
  nobodyCheaper,
  providerProblems,
  specOf,
  type UrgencyOptions,
  urgencyOf,
  type WithFeatures,
} from './model-options.js';

/** A model's answer about one record. */
export interface Inferred {
  /** Probability of the positive class: the last number of the model's output row. */
  readonly score: number;
  /** SHA-256 of the model file that made the score, now or before, or the name of the rule that did. */
  readonly model: string;
  /** What answered in place of the first declared model and provider (`'cpu'`, `'small.onnx'`); `null` where these did. */
  readonly degraded: string | null;
  /** Why another model or a rule answered: the model failed on the record, could not be run, or would have been late. */
  readonly reason?: FallbackReason;
}

/** A score without a model. */
export interface FallbackRule {
  /** What `model` and `degraded` say of its scores. */
  readonly name: string;
  /** A function of the features alone. */
  readonly rule: (features: FeatureVector) => number;
}

/** A cheap model before a dear one. */
export interface Cascade {
  readonly model: string | URL;
  /** Default: those of the dear one. */
  readonly providers?: readonly (Provider | ProviderOptions)[];
  /** Scores up to this one are taken from the cheap model. */
  readonly below: number;
  /** Scores from this one on are taken from the cheap model. */
  readonly above: number;
}

/** Which model `infer` asks, how it makes batches, and under which name it adds the score. */
export interface InferOptions<As extends string, T = WithFeatures>
  extends Omit<ModelOptions<As>, 'fallback'>,
    UrgencyOptions<T> {
  /**
   * What answers in place of the model, in this order: the rows on which it fails, and all rows while it cannot be run. After models
   * comes the last score of the record's key, if there is one, and a rule at last.
   */
  readonly fallback?: readonly (FallbackModel | LastScore<T> | FallbackRule)[];
  /** A cheap model that is asked first; the model is asked about the rows of which it is unsure. */
  readonly cascade?: Cascade;
  /** The view that makes `features`: a model that takes another number of features is refused before the first record. */
  readonly view?: Pick<FeatureView, 'name' | 'shape'>;
}

/**
 * Runs an ONNX model on each record, in micro-batches shared by all tasks of the process.
 *
 * Without `inputs` it scores the dense `features` of the record: adds `{ score, model, degraded }` under `as`. The model takes
 * one input `[N, k]` of floats and gives floats `[N, c]`. Where it takes float16, numbers are rounded on their way in, and where it gives
 * float64, scores are rounded to float32 (`outputs` has them exactly).
 *
 * With `inputs` it takes tensors of numbers or texts: adds `{ vector, model, degraded }`. Axes of varying length
 * have one of the declared `lengths`, and only rows of one length share a batch; so what a text is padded to, which may
 * change its last bits, depends on the text alone. With `pooling` the vectors of its positions become one.
 *
 * With `outputs` it adds `{ outputs, model, degraded }`: several outputs of the model by their names, each declared with the type and the
 * shape that it has there. Floats and integers are numbers, flags booleans, texts strings; outputs with axes are flat arrays.
 *
 * Every field is kept. See `createInference` for what is checked when a model is loaded.
 *
 * With `cascade` a cheap model is asked first, and the model about the rows of which that is unsure. With `fallback` others answer
 * where it fails: another file or provider, the last score of the record's key, and at last a rule. `degraded` says of each record which
 * one answered. Last scores are those of the task since it was opened.
 *
 * Guarantees: records leave in the order they came. On the CPU what is added is a function of the record and the
 * models alone, bit for bit, so a replay repeats it; with any other provider a row's bits may depend on its batch, and on
 * which provider answered, and with `fallback` faults decide who answers, so sinks outside the ledger's transaction are written
 * after the checkpoint. A record that the
 * model cannot take, or answers with a number that is not finite, goes to the dead letters as `inference`, and so does one with
 * a tensor of another shape or without one, a length that is not declared and an integer beyond 2^53; the others of its batch are answered.
 *
 * Errors: `MillraceError('model')` when the task opens (file missing, other inputs or outputs, no provider, width of the view),
 * and later where a record's features have another length, or its tensors another type, than the model's input.
 * `MillraceError('inference')` where the workers that run the model are lost again and again; the task is restored then.
 *
 * Memory: the rows in flight, as the model takes them; idle buffers of four batches; `keysMax` last scores.
 *
 * @example
 * scored.via('risk', infer({ model: 'models/risk.onnx', as: 'risk', batchMax: 256, waitMax: millis(5), providers: ['cuda', 'cpu'] }));
 *
 * @example
 * scored.via('risk', infer({
 *   model: 'models/large.onnx', as: 'risk', batchMax: 64, waitMax: millis(5), providers: ['cuda'],
 *   cascade: { model: 'models/small.onnx', providers: ['cpu'], below: 0.05, above: 0.95 },
 *   fallback: [
 *     { providers: ['cpu'] },
 *     { model: 'models/small.onnx', providers: ['cpu'] },
 *     { name: 'last', lastBy: (payment) => payment.card, keysMax: 100_000 },
 *     { name: 'prior', rule: () => 0.02 },
 *   ],
 * }));
 *
 * @example
 * texts.via('embedding', infer({
 *   model: 'models/sentences.onnx', as: 'embedding', lengths: [32, 64, 128],
 *   inputs: { input_ids: (t) => t.tokens.inputIds, attention_mask: (t) => t.tokens.attentionMask },
 *   pooling: { mean: 'attention_mask' }, normalize: true,
 *   batchMax: 32, waitMax: millis(5), providers: ['cpu'],
 * }));
 *
 * @example
 * scored.via('species', infer({
 *   model: 'models/species.onnx', as: 'species', batchMax: 256, waitMax: millis(5), providers: ['cpu'],
 *   outputs: { label: { type: 'string' }, probabilities: { type: 'float32', shape: [3] } },
 * })); // adds species: { outputs: { label: 'versicolor', probabilities: [0.1, 0.8, 0.1] }, model, degraded }
 */
export function infer<
  T,
  const As extends string,
  Name extends string,
  const O extends Record<string, OutputDeclaration>,
>(
  options: InferTensorsOptions<T, As, Name, O>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: InferredOutputs<O> }>>;
export function infer<
  const As extends string,
  const O extends Record<string, OutputDeclaration>,
  T extends WithFeatures = WithFeatures,
>(options: InferOutputsOptions<As, O, T>): Operator<T & Free<As>, Adds<{ readonly [K in As]: InferredOutputs<O> }>>;
export function infer<T, const As extends string, Name extends string>(
  options: InferVectorsOptions<T, As, Name>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: InferredVector }>>;
export function infer<const As extends string, T extends WithFeatures = WithFeatures>(
  options: InferOptions<As, T>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: Inferred }>>;
export function infer(
  options:
    | InferOptions<string>
    | InferVectorsOptions<never, string, string>
    | InferOutputsOptions<string, Record<string, OutputDeclaration>>
    | InferTensorsOptions<never, string, string, Record<string, OutputDeclaration>>,
): Operator<never, Adds<object>> {
  requireOptions('infer', options);
  if ('outputs' in options) return inferOutputs(options);
  return 'inputs' in options ? inferVectors(options) : inferScores(options);
}

function inferScores<const As extends string>(
  options: InferOptions<As>,
): Operator<WithFeatures & Free<As>, Adds<{ readonly [K in As]: Inferred }>> {
  const { models, last, rule } = partsOf(options);
  const { cascade } = options;
  return {
    kind: 'infer',
    settings: settingsOf(options),
    problems: [...optionProblems('infer', options), ...problemsOf(options)],
    shape: {
      shape: 'batched',
      nondeterministic:
        last !== undefined ||
        rule !== undefined ||
        isNondeterministic(models) ||
        !isOnCpu(cascade?.providers ?? options.providers),
      async open(context, services) {
        const handle = await services.get(inferenceService).open(withCascade(specOf(models), cascade));
        if (options.view !== undefined) checkWidth(options.view, handle, context);
        const others = { last: last && lastScores(last), rule, isBehind: lagOf(options, services) };
        return scorer(handle, options, others, context);
      },
    },
  };
}

type Fallback = NonNullable<InferOptions<string>['fallback']>[number];
const isRule = (fallback: Fallback): fallback is FallbackRule => 'rule' in fallback;
const isLast = (fallback: Fallback): fallback is LastScore<WithFeatures> => 'lastBy' in fallback;
const isModel = (fallback: Fallback): fallback is FallbackModel => !isRule(fallback) && !isLast(fallback);

/** The options with the models of the fallback chain alone, and what answers after these. */
function partsOf<As extends string>(options: InferOptions<As>) {
  const { fallback = [], ...others } = options;
  const models: ModelOptions<As> & UrgencyOptions<WithFeatures> = {
    ...others,
    fallback: fallback.filter(isModel),
  };
  return { models, last: fallback.find(isLast), rule: fallback.find(isRule) };
}

const withCascade = (spec: ModelSpec, cascade: Cascade | undefined): ModelSpec => {
  if (cascade === undefined) return spec;
  const { fallback: _, ...alone } = spec;
  const { below, above } = cascade;
  return { ...spec, cascade: { first: inPlaceOf(alone, cascade), below, above } };
};

function settingsOf(options: InferOptions<string>): Settings {
  const { models, last, rule } = partsOf(options);
  const { cascade } = options;
  const settings = modelSettings(models);
  const fallback = [settings.fallback, last?.name, rule?.name].filter((name) => name !== undefined);
  return {
    ...settings,
    ...(fallback.length > 0 && { fallback: fallback.join(', ') }),
    ...(cascade && { cascade: `${fileName(cascade.model)}, unsure above ${cascade.below} and below ${cascade.above}` }),
  };
}

function problemsOf(options: InferOptions<string>): readonly Problem[] {
  const { fallback = [], cascade, lagMax } = options;
  const { models, last, rule } = partsOf(options);
  const problems = [...modelProblems(models)];
  const isAlone = models.fallback?.length === 0 && rule === undefined;
  if (lagMax !== undefined && cascade === undefined && isAlone) problems.push(nobodyCheaper);
  if (last !== undefined && fallback.some((each, i) => isModel(each) && i > fallback.indexOf(last)))
    problems.push({ message: 'a last score stands before a model', hint: 'a model is better: put it first' });
  if (last !== undefined && !(Number.isSafeInteger(last.keysMax) && last.keysMax > 0))
    problems.push({ message: `keysMax is ${last.keysMax}`, hint: 'give a number of keys, from 1' });
  if (fallback.slice(0, -1).some(isRule))
    problems.push({ message: 'a rule is not the last fallback', hint: 'a rule always answers: put it at the end' });
  if (cascade === undefined) return problems;
  problems.push(...addressProblems(cascade));
  if (cascade.providers !== undefined) problems.push(...providerProblems(cascade.providers));
  if (!(cascade.below < cascade.above)) {
    problems.push({
      message: `the cascade never asks the model: below is ${cascade.below}, above is ${cascade.above}`,
      hint: 'give below < above, e.g. below: 0.1, above: 0.9',
    });
  }
  return problems;
}

function scorer(
  model: ModelHandle,
  options: InferOptions<string>,
  { last, rule, isBehind }: InPlace,
  context: StepContext,
): BatchedLogic {
  const { outputSize } = model;
  const inputSize = widthOf(model);
  const withInferred = fieldAdder(options.as);
  /** No model answers in place of the model. */
  const onlyRule = rule !== undefined && options.cascade === undefined && !options.fallback?.some(isModel);

  function score(rows: readonly WithFeatures[], origins: readonly Origin[], isLate: boolean): Promise<RunResult> {
    const fill: FillRow = (row, into, place) => {
      const { dense, view } = (rows[row] as WithFeatures).features;
      if (dense.length !== inputSize) throw wrongWidth(context, `'${view}'`, dense.length, inputSize);
      // A loop: for rows of tens of numbers it beats `set`, which costs a call into the runtime.
      const numbers = into[0] as Float32Array;
      const at = place * inputSize;
      for (let i = 0; i < inputSize; i++) numbers[at + i] = dense[i] as number;
    };
    const how = { sheds: rule !== undefined, isBehind: isLate };
    const urgency = urgencyOf(options, { values: rows, origins, at: (row) => row }, how, context);
    return model.run(rows.length, fill, undefined, urgency);
  }

  /** The answers of the models; nothing where none of them can be run and others answer all rows in their place. */
  const scoreIfPossible = async (...call: Parameters<typeof score>): Promise<RunResult | undefined> => {
    try {
      return await score(...call);
    } catch (error) {
      const [values, origins] = call;
      const isKnown = () => last !== undefined && makeOfEach(context.step, values, origins, last.has).every(Boolean);
      const isAnswered = rule !== undefined || isKnown();
      if (isAnswered && error instanceof MillraceError && error.code === 'inference') return undefined;
      throw error;
    }
  };

  /** What answers where no model has. */
  function inPlace(value: WithFeatures, reason: FallbackReason, failure: string | undefined): unknown {
    const known = last?.of(value);
    if (known !== undefined) return withInferred(value, { ...known, reason } satisfies Inferred);
    if (rule === undefined) return new RowFailure('inference', failure as string);
    const { name, rule: scoreOf } = rule;
    const score = scoreOf(value.features);
    return Number.isFinite(score)
      ? withInferred(value, { score, model: name, degraded: name, reason } satisfies Inferred)
      : new RowFailure('inference', `the score of the rule '${name}' is ${score}`);
  }

  return {
    async onBatch(values, origins) {
      const rows = values as readonly WithFeatures[];
      const isLate = isBehind(origins);
      const result = isLate && onlyRule ? undefined : await scoreIfPossible(rows, origins, isLate);
      return makeOfEach(context.step, rows, origins, (value, row) => {
        const score = result?.scores[(row + 1) * outputSize - 1] as number;
        const failure = result?.failures.get(row) ?? (Number.isFinite(score) ? undefined : `the score is ${score}`);
        if (result !== undefined && failure === undefined) {
          const model = result.versions[row] as string;
          const degraded = result.degraded[row] as string | null;
          const reason = result.reasons?.[row];
          const inferred: Inferred = { score, model, degraded, ...(reason && { reason }) };
          last?.keep(value, inferred);
          return withInferred(value, inferred);
        }
        return inPlace(value, isLate && onlyRule ? 'behind' : reasonOf(result, row), failure);
      });
    },
    flush: () => model.flush(),
  };
}

/** What answers in place of models, and when. */
interface InPlace {
  readonly last: ReturnType<typeof lastScores<WithFeatures>> | undefined;
  readonly rule: FallbackRule | undefined;
  readonly isBehind: ReturnType<typeof lagOf>;
}

/** Why others answer a row in place of the models. */
function reasonOf(result: RunResult | undefined, row: number): FallbackReason {
  if (result === undefined) return 'unavailable';
  return result.shed?.has(row) ? 'overloaded' : 'failed';
}
