import { type Duration, type Problem, type Provider, providers, type Settings } from '../../core/index.js';

/** How a model is run, whatever it takes and gives. */
export interface ModelOptions<As extends string> {
  /** The ONNX file: a path (relative to the working directory) or a URL, e.g. `new URL('risk.onnx', import.meta.url)`. */
  readonly model: string | URL;
  /** The field that is added. */
  readonly as: As;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /** How long rows wait to fill a batch while the model is busy; an idle model starts at once. */
  readonly waitMax: Duration;
  /** In the order to try. */
  readonly providers: readonly Provider[];
}

/** Bits may depend on the batch, or on which provider answered: anywhere but on the CPU. */
export const isNondeterministic = ({ providers }: ModelOptions<string>): boolean =>
  providers.some((provider) => provider !== 'cpu');

export function modelSettings({ model, as, batchMax, waitMax, providers }: ModelOptions<string>): Settings {
  return { model: fileName(model), as, batchMax, waitMax, providers: providers.join(', ') };
}

/** Of a URL only the file's name: the rest differs from machine to machine, and descriptions are compared. */
export const fileName = (file: string | URL): string =>
  typeof file === 'string' ? file : (file.pathname.split('/').at(-1) ?? '');

export function modelProblems({ batchMax, waitMax, providers: wanted }: ModelOptions<string>): readonly Problem[] {
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

/** What is wrong with the lengths that rows of tensors may have. */
export function lengthsProblems(lengths: readonly number[]): readonly Problem[] {
  const rises = lengths.every((length, i) => Number.isSafeInteger(length) && length > (lengths[i - 1] ?? 0));
  if (rises && lengths.length > 0) return [];
  return [{ message: `lengths are ${lengths.join(', ') || 'none'}`, hint: 'give rising whole numbers: [32, 64, 128]' }];
}
