/**
 * What does an id cost that `dedupe` keeps: bytes of memory, CPU a record, the longest wait?
 *
 * One step gets new ids only, numbers that count up or UUIDs as texts, and its changes are taken every 50,000 records. Each run is a
 * process of its own. Memory is what its anonymous memory (`RssAnon`, Linux only) grew by, per id kept, after a collection; the peak is
 * that of the whole process. Beside it, by turns, stands the same step with a `mapCell` of `true`, which kept the ids before. The
 * longest wait is that of 500 records.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Benchmark } from './benchmark.js';
import type { Task, Took } from './dedupe/process.js';
import { once, type Run, ratioOf, type Spread, spreadOf } from './pairs.js';

export const options = { keys: 3_000_000, large: 10_000_000, rounds: 3 };

const file = fileURLToPath(new URL('dedupe/process.ts', import.meta.url));

async function inProcess(task: Task): Promise<Took> {
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, file, JSON.stringify(task)]);
  return JSON.parse(stdout) as Took;
}

export const benchmark: Benchmark<typeof options> = async (progress, { keys, large, rounds }) => {
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  const memory: Record<string, Spread> = {};
  const cases = [
    { name: 'numbers', ids: 'numbers', kept: keys },
    { name: 'UUIDs', ids: 'UUIDs', kept: keys },
    { name: 'numbers, a third of them kept', ids: 'numbers', kept: Math.ceil(keys / 3) },
    { name: 'UUIDs, a third of them kept', ids: 'UUIDs', kept: Math.ceil(keys / 3) },
  ] as const;
  for (const { name, ids, kept } of cases) {
    const took: Record<Task['cell'], Took[]> = { map: [], set: [] };
    for (let round = 0; round < rounds; round++)
      for (const cell of ['map', 'set'] as const) {
        const one = await inProcess({ ids, records: keys, kept, cell, restores: false });
        took[cell].push(one);
        const micros = ((one.cpuSeconds / keys) * 1e6).toFixed(2);
        progress(`${name}, ${cell}: ${one.bytesPerKey.toFixed(1)} bytes per id, ${micros} us of CPU a record`);
      }
    for (const cell of ['map', 'set'] as const) {
      const each = (figure: (one: Took) => number) => spreadOf(took[cell].map(figure));
      const of = cell === 'set' ? name : `${name}, in a mapCell`;
      memory[of] = each(({ bytesPerKey }) => bytesPerKey);
      figures[`${of}: bytes per id`] = memory[of];
      figures[`${of}: us of CPU a record`] = each(({ cpuSeconds }) => (cpuSeconds / keys) * 1e6);
      figures[`${of}: longest 500 records, ms`] = each(({ longestMs }) => longestMs);
      figures[`${of}: bytes written per id`] = each(({ storedPerKey }) => storedPerKey);
    }
    const runs: Record<string, Run[]> = Object.fromEntries(
      Object.entries(took).map(([cell, all]) => [cell, all.map((one) => ({ ...one, records: keys }))]),
    );
    ratios[`${name}: CPU through that of a mapCell`] = ratioOf(runs, 'set', 'map', ({ cpuSeconds }) => cpuSeconds);
    ratios[`${name}: memory through that of a mapCell`] = spreadOf(
      took.set.map(({ bytesPerKey }, i) => bytesPerKey / (took.map[i] as Took).bytesPerKey),
    );
  }
  const most = await inProcess({ ids: 'UUIDs', records: large, kept: large, cell: 'set', restores: false });
  const peak = once(most.peakMiB);
  figures[`${large} UUIDs: peak of the process, MiB`] = peak;
  figures[`${large} UUIDs: bytes per id`] = once(most.bytesPerKey);
  figures[`${large} UUIDs: longest 500 records, ms`] = once(most.longestMs);
  const restored = await inProcess({ ids: 'UUIDs', records: keys, kept: keys, cell: 'set', restores: true });
  figures[`restore of ${keys} UUIDs, ms`] = once(restored.restoreMs);
  figures[`restore of ${keys} UUIDs: longest turn, ms`] = once(restored.longestRestoreMs);
  return {
    unit: 'as named',
    figures,
    ratios,
    goals: {
      'numbers, bytes per id': { is: memory.numbers as Spread, atMost: 24 },
      'UUIDs, bytes per id': { is: memory.UUIDs as Spread, atMost: 48 },
      'ten million UUIDs, MB': { is: once((most.peakMiB * 2 ** 20) / 1e6), atMost: 600 },
    },
  };
};
