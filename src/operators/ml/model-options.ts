import {
  clockService,
  type Duration,
  type FeatureVector,
  type ModelSpec,
  type Origin,
  type Problem,
  type Provider,
  type ProviderOptions,
  providerName,
  providers,
  remoteOf,
  type Services,
  type Settings,
  type StepContext,
  type TensorSpec,
  type Tier,
  thrownBy,
  tiers,
  type Urgency,
  whatIsWrongWith,
} from '../../core/index.js';

/** A record with the features of a view. */
export interface WithFeatures {
  readonly features: FeatureVector;
}

/** How a model is run, whatever it takes and gives. */
export interface ModelOptions<As extends string> {
  /** The ONNX file: a path (relative to the working directory) or a URL, e.g. `new URL('risk.onnx', import.meta.url)`. */
  readonly model: string | URL;
  /** The field that is added. */
  readonly as: As;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /**
   * How long rows may wait for a batch to fill while workers are busy with full batches of other models. No row waits while a worker has
   * nothing to do.
   */
  readonly waitMax: Duration;
  /** In the order to try: names, or names with options, such as `{ name: 'cuda', deviceId: 1, shareMin: 0.9 }`. */
  readonly providers: readonly (Provider | ProviderOptions)[];
  /** What answers in place of the model, in this order: the rows on which it fails, and all rows while it cannot be run. */
  readonly fallback?: readonly FallbackModel[];
  /** The model's share of the workers' time, beside the weights of others, where they have more rows than can be answered (default 1). */
  readonly weight?: number;
  /** How many rows may wait where a fallback can answer; those of the lowest tier are left to it first (default 64 batches). */
  readonly queueMax?: number;
  /** Stays in memory, with those that answer in its place, where `inferenceMemoryMax` makes others leave. */
  readonly pinned?: boolean;
  /**
   * How many bytes of its answers each process remembers, for rows that are the same again (default: none). It pays for dear models whose rows
   * repeat.
   */
  readonly cacheBytesMax?: number;
}

/** How urgent records are. */
export interface UrgencyOptions<T> {
  /** The tier of records (default `normal`): where too many wait, batches take 16 rows of `high`, 4 of `normal` and 1 of `low`. */
  readonly tier?: Tier | ((value: T) => Tier);
  /**
   * In what time records should be answered, from when they come to the step. Those that are due first go first. With a fallback,
   * those that would be late are left to it.
   */
  readonly deadline?: Duration | ((value: T) => Duration);
  /**
   * How far event time may fall behind the clock. Beyond it records take the cheap model of the `cascade`, or the first `fallback`,
   * until event time is behind by half as much.
   */
  readonly lagMax?: Duration;
}

/** A model that answers in place of another: a smaller file, or the same one on other providers. */
export interface FallbackModel {
  /** Default: the same file. */
  readonly model?: string | URL;
  /** Default: the same providers. */
  readonly providers?: readonly (Provider | ProviderOptions)[];
}

/** The model as the inference service opens it. */
export function specOf(options: ModelOptions<string>, tensors?: TensorSpec): ModelSpec {
  const { model, batchMax, waitMax, providers, fallback = [], pinned = false, cacheBytesMax } = options;
  const own: ModelSpec = {
    ...{ model, batchMax, waitMax, providers, ...limitsOf(options) },
    ...(tensors && { tensors }),
    ...(pinned && { isPinned: true }),
    ...(cacheBytesMax !== undefined && { cacheBytesMax }),
  };
  return fallback.length === 0 ? own : { ...own, fallback: fallback.map((other) => inPlaceOf(own, other)) };
}

const limitsOf = ({ weight, queueMax }: ModelOptions<string>) => ({
  ...(weight !== undefined && { weight }),
  ...(queueMax !== undefined && { queueMax }),
});

/** The records of a call: `at` finds that of a row. */
export interface Asked<T> {
  readonly values: readonly T[];
  readonly origins: readonly Origin[];
  readonly at: (row: number) => number;
}

/** How urgent the records of a call are; nothing where nothing is said. `sheds` where a fallback of the caller answers. */
export function urgencyOf<T>(
  { tier, deadline }: UrgencyOptions<T>,
  { values, origins, at }: Asked<T>,
  { sheds, isBehind }: { readonly sheds: boolean; readonly isBehind: boolean },
  { step }: StepContext,
): Urgency | undefined {
  if (tier === undefined && deadline === undefined && !isBehind) return undefined;
  /** What is said of all records, or by a function of each. */
  const saidOf = <Said>(said: Said | ((value: T) => Said), check: (said: Said) => void) => {
    if (typeof said !== 'function') return () => said;
    return (row: number): Said => {
      try {
        const ofRecord = (said as (value: T) => Said)(values[at(row)] as T);
        check(ofRecord);
        return ofRecord;
      } catch (error) {
        throw thrownBy(step, error, origins[at(row)]);
      }
    };
  };
  return {
    sheds,
    ...(isBehind && { isBehind }),
    ...(tier !== undefined && { tierOf: saidOf(tier, checkTier) }),
    ...(deadline !== undefined && { deadlineOf: saidOf(deadline, checkDeadline) }),
  };
}

function checkTier(tier: Tier): void {
  if (!tiers.includes(tier)) throw new RangeError(`there is no tier '${tier}', only ${tiers.join(', ')}`);
}

function checkDeadline(deadline: Duration): void {
  if (typeof deadline === 'number' && !Number.isNaN(deadline)) return;
  const given = typeof deadline === 'string' ? `'${deadline}'` : String(deadline);
  throw new RangeError(`the deadline is ${given}, not a duration such as millis(50)`);
}

/**
 * Whether event time is behind the clock by more than `lagMax`, and by more than half of it since; of each group of records the newest
 * says so. Never, where nothing is said.
 */
export function lagOf({ lagMax }: UrgencyOptions<never>, services: Services): (origins: readonly Origin[]) => boolean {
  if (lagMax === undefined) return () => false;
  const clock = services.get(clockService);
  let isBehind = false;
  return (origins) => {
    const newestMs = origins.reduce(
      (newest, { eventTimeMs }) => Math.max(newest, eventTimeMs),
      Number.NEGATIVE_INFINITY,
    );
    if (Number.isFinite(newestMs)) isBehind = clock.nowMs() - newestMs > (isBehind ? lagMax / 2 : lagMax);
    return isBehind;
  };
}

/** A model with the same limits, inputs and outputs as another. */
export const inPlaceOf = (spec: ModelSpec, { model, providers }: FallbackModel): ModelSpec => ({
  ...spec,
  model: model ?? spec.model,
  providers: providers ?? spec.providers,
});

/** Bits may depend on the batch, or on what answered: anywhere but on the CPU, and where faults decide who answers. */
export const isNondeterministic = ({
  providers,
  fallback = [],
  lagMax,
}: ModelOptions<string> & UrgencyOptions<never>): boolean =>
  fallback.length > 0 || lagMax !== undefined || !isOnCpu(providers);

export const isOnCpu = (wanted: ModelSpec['providers']): boolean => wanted.every((provider) => provider === 'cpu');

export function modelSettings(options: ModelOptions<string> & UrgencyOptions<never>): Settings {
  const { model, as, batchMax, waitMax, providers, fallback = [], tier, deadline, lagMax } = options;
  const { pinned = false, cacheBytesMax } = options;
  return {
    ...{ model: fileName(model), as, batchMax, waitMax, providers: providers.map(providerName).join(', ') },
    ...limitsOf(options),
    ...(tier !== undefined && { tier: typeof tier === 'function' ? 'by record' : tier }),
    ...(deadline !== undefined && { deadline: typeof deadline === 'function' ? 'by record' : deadline }),
    ...(lagMax !== undefined && { lagMax }),
    ...(fallback.length > 0 && { fallback: fallback.map(nameOfFallback).join(', ') }),
    ...(pinned && { pinned: true }),
    ...(cacheBytesMax !== undefined && { cacheBytesMax }),
  };
}

export const nameOfFallback = ({ model, providers }: FallbackModel): string =>
  [
    ...(model === undefined ? [] : [fileName(model)]),
    ...(providers ? [providers.map(providerName).join('/')] : []),
  ].join(' on ');

/** Of a URL only the file's name: the rest differs from machine to machine, and descriptions are compared. */
export const fileName = (file: string | URL): string =>
  file instanceof URL ? (file.pathname.split('/').at(-1) ?? '') : file;

export function modelProblems(options: ModelOptions<string> & UrgencyOptions<never>): readonly Problem[] {
  const { model, batchMax, waitMax, providers: wanted, fallback = [] } = options;
  const { cacheBytesMax = 1 } = options;
  const problems: Problem[] = [...urgencyProblems(options)];
  if (!model)
    problems.push({ message: 'model is missing', hint: "give an ONNX file: new URL('risk.onnx', import.meta.url)" });
  problems.push(...addressProblems(options));
  if (!(cacheBytesMax > 0))
    problems.push({ message: `cacheBytesMax is ${cacheBytesMax}`, hint: 'give a number of bytes, or leave it out' });
  if (!Number.isSafeInteger(batchMax) || batchMax < 1) {
    problems.push({
      message: `batchMax is ${batchMax}`,
      hint: 'give a number of rows, from 1; 256 suits small models',
    });
  }
  if (!(waitMax >= 0)) problems.push({ message: `waitMax is ${waitMax}`, hint: 'give a duration, e.g. millis(5)' });
  problems.push(...providerProblems(wanted), ...misplaced(options));
  for (const other of fallback) {
    problems.push(...addressProblems(other));
    if (other.providers !== undefined) problems.push(...providerProblems(other.providers));
    if (other.model === undefined && other.providers === undefined) {
      problems.push(withoutModel(other));
    }
  }
  return problems;
}

/** What is wrong with a fallback that names neither a file nor providers. */
function withoutModel(fallback: object): Problem {
  const hint = 'give another `model`, or other `providers`';
  if ('rule' in fallback || 'lastBy' in fallback)
    return { message: 'a rule or a last score answers one score only', hint };
  return 'name' in fallback
    ? { message: 'fallback[].rule is missing', hint: `give '${fallback.name}' a rule, or lastBy; a model has no name` }
    : { message: 'a fallback is the same model again', hint };
}

const FILE = 'file:';

/** A model is a file, given by a path or a URL. What is asked on a server has its address among the providers. */
export function addressProblems({ model }: Pick<FallbackModel, 'model'>): readonly Problem[] {
  const scheme = /^([a-z][a-z0-9+.-]+:)\/\//i.exec(`${model}`)?.[1];
  if (scheme === undefined || (scheme === FILE && model instanceof URL)) return [];
  const hint =
    scheme === FILE
      ? `give a path, or new URL('${model}')`
      : "download it and give the file; a model on a server is asked with providers: [{ name: 'remote', url }]";
  return [{ message: `the model is an address, not a file: ${model}`, hint }];
}

/** What options belong to: whether tensors (`inputs`) or several outputs (`outputs`) are named. Those that are not here belong to all. */
const belongings: Readonly<Record<string, { readonly inputs?: boolean; readonly outputs?: boolean }>> = {
  view: { inputs: false },
  cascade: { inputs: false, outputs: false },
  lengths: { inputs: true },
  output: { inputs: true, outputs: false },
  pooling: { inputs: true, outputs: false },
  normalize: { inputs: true, outputs: false },
};

/** Types allow these, too, only where they mean something; from JavaScript they would be passed over. */
function misplaced(options: object): readonly Problem[] {
  const given = options as Readonly<Record<string, unknown>>;
  const names = Object.keys(belongings).filter((name) => given[name] !== undefined);
  return names.flatMap((name) => {
    const ends = Object.entries(belongings[name] ?? {});
    const wrong = ends.find(([other, isWanted]) => (given[other] !== undefined) !== isWanted);
    if (wrong === undefined) return [];
    const [other, isWanted] = wrong;
    const message = `${name} does nothing ${isWanted ? 'without' : 'beside'} ${other}`;
    return [{ message, hint: `leave ${name} out${isWanted ? `, or name the ${other} of the model` : ''}` }];
  });
}

function urgencyProblems({
  tier,
  deadline,
  lagMax = 1 as Duration,
  weight = 1,
  queueMax = 1,
}: ModelOptions<string> & UrgencyOptions<never>): readonly Problem[] {
  const problems: Problem[] = [];
  if (typeof tier === 'string' && !tiers.includes(tier))
    problems.push({ message: `there is no tier '${tier}'`, hint: `choose from ${tiers.join(', ')}` });
  if (typeof deadline === 'number' && !(deadline > 0))
    problems.push({ message: `deadline is ${deadline}`, hint: 'give a duration above 0, e.g. millis(50)' });
  if (!(lagMax > 0))
    problems.push({ message: `lagMax is ${lagMax}`, hint: 'give a duration above 0, e.g. seconds(30)' });
  if (!(weight > 0 && Number.isFinite(weight)))
    problems.push({ message: `weight is ${weight}`, hint: 'give a number above 0; models without one have 1' });
  if (!Number.isSafeInteger(queueMax) || queueMax < 1)
    problems.push({ message: `queueMax is ${queueMax}`, hint: 'give a number of rows, from 1' });
  return problems;
}

export function providerProblems(wanted: readonly (Provider | ProviderOptions)[]): readonly Problem[] {
  if (wanted.length === 0) return [{ message: 'no provider is declared', hint: "end the list with 'cpu'" }];
  const problems = wanted
    .map(whatIsWrongWith)
    .filter((message) => message !== undefined)
    .map((message) => ({ message, hint: `choose from ${providers.join(', ')}, or give { name: 'remote', url }` }));
  if (wanted.length === 1 || !wanted.some((each) => remoteOf([each]) !== undefined)) return problems;
  const hint = "put the others into the fallback: fallback: [{ providers: ['cpu'] }]";
  return [...problems, { message: 'a remote provider must be the only provider', hint }];
}

/** What is wrong with the lengths that rows of tensors may have. */
export function lengthsProblems(lengths: readonly number[]): readonly Problem[] {
  const rises = lengths.every((length, i) => Number.isSafeInteger(length) && length > (lengths[i - 1] ?? 0));
  if (rises && lengths.length > 0) return [];
  return [{ message: `lengths are ${lengths.join(', ') || 'none'}`, hint: 'give rising whole numbers: [32, 64, 128]' }];
}

export const nobodyCheaper: Problem = {
  message: 'lagMax needs another model that answers instead',
  hint: 'give a cheaper model: a `cascade`, or a `fallback`',
};
