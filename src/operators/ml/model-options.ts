import {
  type Duration,
  type ModelSpec,
  type Problem,
  type Provider,
  type ProviderOptions,
  providerName,
  providers,
  type Settings,
  type TensorSpec,
  whatIsWrongWith,
} from '../../core/index.js';

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
  const { model, batchMax, waitMax, providers, fallback = [] } = options;
  const own: ModelSpec = { model, batchMax, waitMax, providers, ...(tensors && { tensors }) };
  return fallback.length === 0 ? own : { ...own, fallback: fallback.map((other) => inPlaceOf(own, other)) };
}

/** A model with the same limits, inputs and outputs as another. */
export const inPlaceOf = (spec: ModelSpec, { model, providers }: FallbackModel): ModelSpec => ({
  ...spec,
  model: model ?? spec.model,
  providers: providers ?? spec.providers,
});

/** Bits may depend on the batch, or on what answered: anywhere but on the CPU, and where faults decide who answers. */
export const isNondeterministic = ({ providers, fallback = [] }: ModelOptions<string>): boolean =>
  fallback.length > 0 || !isOnCpu(providers);

export const isOnCpu = (wanted: ModelSpec['providers']): boolean => wanted.every((provider) => provider === 'cpu');

export function modelSettings({
  model,
  as,
  batchMax,
  waitMax,
  providers,
  fallback = [],
}: ModelOptions<string>): Settings {
  return {
    ...{ model: fileName(model), as, batchMax, waitMax, providers: providers.map(providerName).join(', ') },
    ...(fallback.length > 0 && { fallback: fallback.map(nameOfFallback).join(', ') }),
  };
}

export const nameOfFallback = ({ model, providers }: FallbackModel): string =>
  [
    ...(model === undefined ? [] : [fileName(model)]),
    ...(providers ? [providers.map(providerName).join('/')] : []),
  ].join(' on ');

/** Of a URL only the file's name: the rest differs from machine to machine, and descriptions are compared. */
export const fileName = (file: string | URL): string =>
  typeof file === 'string' ? file : (file.pathname.split('/').at(-1) ?? '');

export function modelProblems({
  batchMax,
  waitMax,
  providers: wanted,
  fallback = [],
}: ModelOptions<string>): readonly Problem[] {
  const problems: Problem[] = [];
  if (!Number.isSafeInteger(batchMax) || batchMax < 1) {
    problems.push({
      message: `batchMax is ${batchMax}`,
      hint: 'give a number of rows, from 1; 256 suits small models',
    });
  }
  if (!(waitMax >= 0)) problems.push({ message: `waitMax is ${waitMax}`, hint: 'give a duration, e.g. millis(5)' });
  problems.push(...providerProblems(wanted));
  for (const other of fallback) {
    if (other.providers !== undefined) problems.push(...providerProblems(other.providers));
    if (other.model === undefined && other.providers === undefined)
      problems.push({
        message: 'a fallback is the same model again',
        hint: 'give another `model`, or other `providers`',
      });
  }
  return problems;
}

export function providerProblems(wanted: readonly (Provider | ProviderOptions)[]): readonly Problem[] {
  if (wanted.length === 0) return [{ message: 'no provider is declared', hint: "end the list with 'cpu'" }];
  return wanted
    .map(whatIsWrongWith)
    .filter((message) => message !== undefined)
    .map((message) => ({ message, hint: `choose from ${providers.join(', ')}` }));
}

/** What is wrong with the lengths that rows of tensors may have. */
export function lengthsProblems(lengths: readonly number[]): readonly Problem[] {
  const rises = lengths.every((length, i) => Number.isSafeInteger(length) && length > (lengths[i - 1] ?? 0));
  if (rises && lengths.length > 0) return [];
  return [{ message: `lengths are ${lengths.join(', ') || 'none'}`, hint: 'give rising whole numbers: [32, 64, 128]' }];
}
