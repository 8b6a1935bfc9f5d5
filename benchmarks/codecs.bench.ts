/**
 * What do the codecs cost beside the libraries that would do their work otherwise?
 *
 * A flat flight, and an order with nested lines, a map and an enum; each codec beside the library, encoding and decoding:
 * the values that a step would see, with what the format itself checks. Codecs of a registry also write and judge
 * Confluent's header. CSV is read and written a row at a time, where its libraries are given a thousand, or one.
 */
import type { Benchmark } from './benchmark.js';
import type { Ways } from './codecs/case.js';
import { parquetCase } from './codecs/parquet.js';
import { payloadCases } from './codecs/payloads.js';
import { type Contestant, measurePairs, type Run, type Spread, spreadOf } from './pairs.js';

/** `only` runs those whose names contain it. */
export const options = { pairs: 7, only: '' };

/** By the processor's time: nothing here waits, and others may be at work beside it. */
const rateOf = ({ records, cpuSeconds }: Run): number => records / cpuSeconds;

export const benchmark: Benchmark<typeof options> = async (progress, { pairs, only }) => {
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  const cases = [...payloadCases, parquetCase];
  for (const { name, open } of cases.filter((each) => each.name.includes(only))) {
    const { raw, codec, close } = await open();
    for (const way of ['encode', 'decode'] as const satisfies (keyof Ways)[]) {
      const contestants = [
        { name: `${name}, ${way}: raw`, work: raw[way] },
        { name: `${name}, ${way}: codec`, work: codec[way] },
      ] as const satisfies Contestant[];
      const { runs } = await measurePairs(contestants, { pairs, warmUps: 2 }, progress);
      const [raws = [], codecs = []] = contestants.map((contestant) => runs[contestant.name]);
      figures[contestants[0].name] = spreadOf(raws.map(rateOf));
      figures[contestants[1].name] = spreadOf(codecs.map(rateOf));
      ratios[`${name}, ${way}: codec through raw`] = spreadOf(
        codecs.map((run, i) => rateOf(run) / rateOf(raws[i] as Run)),
      );
    }
    await close?.();
  }
  const details = { raw: Object.fromEntries(cases.map((each) => [each.name, each.raw])) };
  return { unit: 'records/s of processor time', figures, ratios, details };
};
